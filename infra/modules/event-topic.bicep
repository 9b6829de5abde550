// The Event Grid topic that receives the events of grants, as CloudEvents. It has no keys that work: the service publishes
// with its identity.

import { Tags } from '../types/deployment.bicep'
import { eventGridDataSender } from '../types/roles.bicep'

@description('Name of the topic.')
@minLength(3)
@maxLength(50)
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Name of the service\'s identity.')
param identityName string

@description('Object id of this identity.')
param principalId string

@description('Resource id of the Log Analytics workspace for failed publications and deliveries.')
param workspaceId string

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    inputSchema: 'CloudEventSchemaV1_0'
    disableLocalAuth: true
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

resource sender 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: topic
  name: guid(topic.id, identityName, eventGridDataSender)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', eventGridDataSender)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

#disable-next-line use-recent-api-versions // Azure has no newer version.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: topic
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'PublishFailures'
        enabled: true
      }
      {
        category: 'DeliveryFailures'
        enabled: true
      }
      {
        category: 'DataPlaneRequests'
        enabled: true
      }
    ]
  }
}

@description('Endpoint that the service publishes to.')
output endpoint string = topic.properties.endpoint

@description('Name of the topic.')
output name string = topic.name
