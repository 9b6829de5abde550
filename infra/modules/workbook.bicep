// A workbook for the audit events: exchanges by caller, outcome and latency, and the expiry of the credentials.

import { Tags } from '../types/deployment.bicep'

@description('Name shown in the portal.')
param displayName string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

var auditEvents = loadTextContent('../kql/audit-events.kql')

var panels = [
  {
    title: 'Exchanges by caller, flow and outcome'
    query: loadTextContent('../kql/workbook-by-caller.kql')
    visualization: 'table'
  }
  {
    title: 'Outcomes'
    query: loadTextContent('../kql/workbook-outcomes.kql')
    visualization: 'timechart'
  }
  {
    title: 'Refusals and failures by code'
    query: loadTextContent('../kql/workbook-refusals.kql')
    visualization: 'table'
  }
  {
    title: 'Latency, milliseconds'
    query: loadTextContent('../kql/workbook-latency.kql')
    visualization: 'timechart'
  }
  {
    title: 'Cache'
    query: loadTextContent('../kql/workbook-cache.kql')
    visualization: 'timechart'
  }
  {
    title: 'Challenges that require a person to act'
    query: loadTextContent('../kql/workbook-challenges.kql')
    visualization: 'timechart'
  }
  {
    title: 'Throttled exchanges'
    query: loadTextContent('../kql/workbook-throttles.kql')
    visualization: 'timechart'
  }
  {
    title: 'Client credentials: days until expiry'
    query: loadTextContent('../kql/workbook-credential.kql')
    visualization: 'table'
  }
]

var timeRange = {
  type: 9
  name: 'time-range'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    parameters: [
      {
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        type: 4
        isRequired: true
        value: {
          durationMs: 86400000
        }
        typeSettings: {
          allowCustom: true
          selectableValues: [
            { durationMs: 3600000 }
            { durationMs: 86400000 }
            { durationMs: 604800000 }
            { durationMs: 2592000000 }
          ]
        }
      }
    ]
  }
}

var charts = map(panels, panel => {
  type: 3
  name: panel.title
  content: {
    version: 'KqlItem/1.0'
    query: '${auditEvents}${panel.query}'
    size: 0
    title: panel.title
    timeContextFromParameter: 'TimeRange'
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    crossComponentResources: [workspaceId]
    visualization: panel.visualization
  }
})

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, displayName)
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([timeRange], charts)
      fallbackResourceIds: [workspaceId]
    })
  }
}
