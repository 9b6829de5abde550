// Alerts on the audit event. Each asks Log Analytics one question from infra/kql; with no address given they still
// fire and show in the portal.

import { AlertThresholds, Tags } from '../types/deployment.bicep'

@description('Start of the resources\' names.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Mail addresses that are told. Empty: nobody.')
param emailAddresses string[]

@description('When to alert.')
param thresholds AlertThresholds

var auditEvents = loadTextContent('../kql/audit-events.kql')

var rules = [
  {
    key: 'failed'
    title: 'Token exchanges fail'
    description: 'Share of exchanges that failed in 15 minutes. See the code and the correlation id in the workbook.'
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
    description: 'Exchanges answered with 429 in 15 minutes, by Entra\'s limit or by the budget of a caller.'
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
    description: 'Days left to a client secret or certificate, of either registration. Set a new version in Key Vault; the service picks it up.'
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
    description: 'Keys, a credential, the sealing key or the grant store could not be used. GET /ready says which, to callers in the policy.'
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
    key: 'silence'
    title: 'The service is silent'
    description: 'No sign of life for 45 minutes, though a timer gives one every quarter of an hour: the app does not start, is stopped, or its log does not arrive.'
    severity: 1
    query: loadTextContent('../kql/alert-silence.kql')
    column: 'Silent'
    aggregation: 'Maximum'
    operator: 'GreaterThan'
    threshold: 0
    frequency: 'PT15M'
    // The query itself looks at the last 45 minutes of it.
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

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
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
      // A new workspace does not have the table AppTraces until the first line arrives.
      skipQueryValidation: true
      actions: {
        actionGroups: empty(emailAddresses) ? [] : [recipients.id]
      }
    }
  }
]
