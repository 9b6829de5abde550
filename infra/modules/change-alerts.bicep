// Alerts on the activity log of the resource group: who may do what with the resources, and what the app runs. They have no
// charge, no severity and no query. A deployment of these templates changes the same things and fires them too.

import { Tags } from '../types/deployment.bicep'

@description('Prefix of the resource names.')
param name string

@description('Tags.')
param tags Tags

@description('Resource id of the action group that receives the alerts, or empty.')
param recipientsId string

var alerts = [
  {
    key: 'roles'
    title: 'A role was assigned or removed'
    description: 'An identity can do more, or less, with the app, its vault or its grants than before.'
    operations: [
      'Microsoft.Authorization/roleAssignments/write'
      'Microsoft.Authorization/roleAssignments/delete'
    ]
  }
  {
    key: 'settings'
    title: 'The app or its audit trail was changed'
    description: 'Settings, code or credentials of the app, the federated credentials of its identity, what is logged, or an alert and its recipients.'
    operations: [
      'Microsoft.Web/sites/write'
      'Microsoft.Web/sites/config/write'
      'Microsoft.Web/sites/basicPublishingCredentialsPolicies/write'
      'Microsoft.ManagedIdentity/userAssignedIdentities/assign/action'
      'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write'
      'Microsoft.Insights/diagnosticSettings/write'
      'Microsoft.Insights/diagnosticSettings/delete'
      'Microsoft.Insights/scheduledQueryRules/write'
      'Microsoft.Insights/scheduledQueryRules/delete'
      'Microsoft.Insights/activityLogAlerts/write'
      'Microsoft.Insights/activityLogAlerts/delete'
      'Microsoft.Insights/actionGroups/write'
      'Microsoft.Insights/actionGroups/delete'
    ]
  }
]

resource changeAlerts 'Microsoft.Insights/activityLogAlerts@2026-01-01' = [
  for alert in alerts: {
    name: 'alert-${name}-${alert.key}'
    location: 'global'
    tags: tags
    properties: {
      description: '${alert.title}. ${alert.description}'
      enabled: true
      scopes: [resourceGroup().id]
      condition: {
        allOf: [
          {
            field: 'category'
            equals: 'Administrative'
          }
          {
            field: 'status'
            equals: 'Succeeded'
          }
          {
            anyOf: [
              for operation in alert.operations: {
                field: 'operationName'
                equals: operation
              }
            ]
          }
        ]
      }
      actions: {
        actionGroups: empty(recipientsId) ? [] : [{ actionGroupId: recipientsId }]
      }
    }
  }
]
