// Alerts on the audit events. Each alert runs one query of infra/kql in Log Analytics. Without email addresses, alerts still
// fire and appear in the portal.

import { AlertThresholds, Tags } from '../types/deployment.bicep'

@description('Prefix of the resource names.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Email addresses that receive alerts. Empty: no email.')
param emailAddresses string[]

@description('Thresholds of the alerts.')
param thresholds AlertThresholds

var auditEvents = loadTextContent('../kql/audit-events.kql')

var rules = [
  {
    key: 'failed'
    title: 'Token exchanges fail'
    description: 'Percentage of exchanges that failed in 15 minutes. The workbook shows the code and the correlation id.'
    severity: 1
    query: loadTextContent('../kql/alert-failed.kql')
    column: 'FailedPercent'
    aggregation: 'Maximum'
    operator: 'GreaterThanOrEqual'
    threshold: thresholds.failedPercent
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'throttled'
    title: 'Token exchanges are throttled'
    description: 'Exchanges with status 429 in 15 minutes, because Entra throttles or because a caller used up its budget.'
    severity: 2
    query: loadTextContent('../kql/alert-throttled.kql')
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
    query: loadTextContent('../kql/alert-credential.kql')
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
    query: loadTextContent('../kql/alert-readiness.kql')
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
    query: loadTextContent('../kql/alert-policy.kql')
    column: 'NotInUse'
    aggregation: 'Total'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT5M'
    window: 'PT15M'
  }
  {
    key: 'silence'
    title: 'The service is silent'
    description: 'The timer writes an event every 15 minutes, but none arrived for 45 minutes: the app does not start, is stopped, or its logs do not arrive.'
    severity: 1
    query: loadTextContent('../kql/alert-silence.kql')
    column: 'Silent'
    aggregation: 'Maximum'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT15M'
    // The query reads only the last 45 minutes of this window.
    window: 'PT1H'
  }
]

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
            query: '${auditEvents}${rule.query}'
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
      // A new workspace has no table AppTraces until the first log line arrives.
      skipQueryValidation: true
      actions: {
        actionGroups: empty(emailAddresses) ? [] : [recipients.id]
      }
    }
  }
]
