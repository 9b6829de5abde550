// Alerts on the audit events and on the logs of vault and grant table. Each alert runs one query of infra/kql in Log
// Analytics. Without email addresses, alerts still fire and appear in the portal.

import { AlertThresholds, Tags } from '../types/deployment.bicep'

@description('Prefix of the resource names.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Object id of the service\'s identity, the only one that reads vault and grant table.')
param principalId string

@description('Entra\'s audit logs are routed to this workspace: alert on changes of the registrations with these client ids. Empty: no alert.')
param registrationClientIds string[]

@description('Email addresses that receive alerts. Empty: no email.')
param emailAddresses string[]

@description('Thresholds of the alerts.')
param thresholds AlertThresholds

var auditEvents = loadTextContent('../kql/audit-events.kql')

var registrationRules = empty(registrationClientIds)
  ? []
  : [
      {
        key: 'registration'
        title: 'A registration was changed'
        description: 'A registration of the service, its credentials or its owners have changed.'
        severity: 1
        query: replace(
          loadTextContent('../kql/alert-registration.kql'),
          '"CLIENT_IDS"',
          '"${join(registrationClientIds, '", "')}"'
        )
        column: 'Changes'
        aggregation: 'Total'
        operator: 'GreaterThan'
        threshold: 0
        frequency: 'PT15M'
        // Entra's logs arrive late.
        window: 'PT1H'
      }
    ]

var rules = concat(registrationRules, [
  {
    key: 'failed'
    title: 'Token exchanges fail'
    description: 'Percentage of exchanges of known callers that failed in 15 minutes. The workbook shows the code and the correlation id.'
    severity: 1
    query: '${auditEvents}${loadTextContent('../kql/alert-failed.kql')}'
    column: 'FailedPercent'
    aggregation: 'Maximum'
    operator: 'GreaterThanOrEqual'
    threshold: thresholds.failedPercent
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'failed-count'
    title: 'Many token exchanges fail'
    description: 'Number of exchanges of known callers that failed in 15 minutes, whatever percentage they are.'
    severity: 1
    query: '${auditEvents}${loadTextContent('../kql/alert-failed-count.kql')}'
    column: 'Failed'
    aggregation: 'Maximum'
    operator: 'GreaterThanOrEqual'
    threshold: thresholds.failedCount
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'throttled'
    title: 'Token exchanges are throttled'
    description: 'Exchanges with status 429 in 15 minutes, because Entra throttles or because a caller used up its budget.'
    severity: 2
    query: '${auditEvents}${loadTextContent('../kql/alert-throttled.kql')}'
    column: 'Throttled'
    aggregation: 'Total'
    operator: 'GreaterThanOrEqual'
    threshold: thresholds.throttledCount
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'credential'
    title: 'The client credential ends soon'
    description: 'Days until a client secret or certificate of a registration expires. Add a new version in Key Vault; the service uses it automatically.'
    severity: 1
    query: '${auditEvents}${loadTextContent('../kql/alert-credential.kql')}'
    column: 'DaysToExpiry'
    aggregation: 'Minimum'
    operator: 'LessThanOrEqual'
    threshold: thresholds.credentialDays
    frequency: 'PT1H'
    window: 'P1D'
  }
  {
    key: 'readiness'
    title: 'The service is not ready'
    description: 'Keys, a credential, the sealing key or the grant store are unavailable. GET /ready names them to callers in the policy.'
    severity: 1
    query: '${auditEvents}${loadTextContent('../kql/alert-readiness.kql')}'
    column: 'NotReady'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'policy'
    title: 'The newest policy is not in use'
    description: 'The policy in the blob is invalid or cannot be read. The service uses the last good version. The event policy has the reason.'
    severity: 2
    query: '${auditEvents}${loadTextContent('../kql/alert-policy.kql')}'
    column: 'NotInUse'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'wrong-caller'
    title: 'Another caller presents a handle'
    description: 'An authenticated caller presented the handle of another one, and was refused. The handle has leaked or is in the wrong flow.'
    severity: 2
    query: '${auditEvents}${loadTextContent('../kql/alert-wrong-caller.kql')}'
    column: 'Presented'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'refusals'
    title: 'One caller is refused many times'
    description: 'Refused requests of one authenticated caller in 15 minutes: a misconfigured program, or one that tries what it may get.'
    severity: 2
    query: '${auditEvents}${loadTextContent('../kql/alert-refusals.kql')}'
    column: 'Refused'
    aggregation: 'Maximum'
    operator: 'GreaterThanOrEqual'
    threshold: thresholds.refusedCount
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'grants'
    title: 'There are new unattended grants'
    description: 'Grants with which applications act while a person is away, and imported refresh tokens, of the last hour.'
    severity: 3
    query: '${auditEvents}${loadTextContent('../kql/alert-grants.kql')}'
    column: 'Made'
    aggregation: 'Total'
    operator: 'GreaterThanOrEqual'
    threshold: thresholds.grantCount
    frequency: 'PT1H'
    window: 'PT1H'
  }
  {
    key: 'events'
    title: 'Events are lost'
    description: 'Events of grants could not be written, or no receiver accepted them for a day.'
    severity: 2
    query: '${auditEvents}${loadTextContent('../kql/alert-events.kql')}'
    column: 'Lost'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT15M'
    window: 'PT15M'
  }
  {
    key: 'upkeep'
    title: 'Grants need attention'
    description: 'The service could not keep a grant alive, or could not delete a grant whose caller got an error. The events keep_alive and grants have the numbers and the id.'
    severity: 2
    query: '${auditEvents}${loadTextContent('../kql/alert-upkeep.kql')}'
    column: 'Events'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT15M'
    window: 'PT1H'
  }
  {
    key: 'overload'
    title: 'The service is overloaded'
    description: 'Known callers are refused because they send too much or an instance has too much to do. The event load has the number, and the entry of the last one.'
    severity: 2
    query: '${auditEvents}${loadTextContent('../kql/alert-overload.kql')}'
    column: 'Events'
    aggregation: 'Total'
    operator: 'GreaterThanOrEqual'
    threshold: 3
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'readers'
    title: 'Another identity uses the vault or the grant table'
    description: 'Only the service reads the secrets of its vault and the rows of its grant table. An administrator changes a secret only to rotate it.'
    severity: 1
    query: replace(loadTextContent('../kql/alert-readers.kql'), 'SERVICE_PRINCIPAL_ID', principalId)
    column: 'Requests'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT15M'
    // Diagnostic logs arrive some minutes late.
    window: 'PT1H'
  }
  {
    key: 'silence'
    title: 'The service is silent'
    description: 'The timer writes an event every 15 minutes, but none arrived for 45 minutes: the app does not start, is stopped, or its logs do not arrive.'
    severity: 1
    query: '${auditEvents}${loadTextContent('../kql/alert-silence.kql')}'
    column: 'Silent'
    aggregation: 'Maximum'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT15M'
    // The query reads only the last 45 minutes of this window.
    window: 'PT1H'
  }
])

resource recipients 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(emailAddresses)) {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take('gte-${name}', 12)
    emailReceivers: [
      for (address, index) in emailAddresses: {
        name: 'mail-${index}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: 'alert-${name}-${rule.key}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${rule.title} (${name})'
      description: rule.description
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.frequency
      windowSize: rule.window
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: rule.column
            timeAggregation: rule.aggregation
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      autoMitigate: true
      // A new workspace has no table until the first line of its log arrives.
      skipQueryValidation: true
      actions: {
        actionGroups: empty(emailAddresses) ? [] : [recipients.id]
      }
    }
  }
]

@description('Resource id of the action group, or empty without email addresses.')
output recipientsId string = empty(emailAddresses) ? '' : recipients.id
