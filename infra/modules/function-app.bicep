// The app: a Flex Consumption plan and the site with its settings. It is reachable only through HTTPS with a token.
// Publishing passwords are disabled, and the host reads the deployment package with the managed identity.

import { Scale, Tags } from '../types/deployment.bicep'

@description('Name of the app, which is the first label of its default host name.')
@minLength(2)
@maxLength(60)
param name string

@description('Name of the plan.')
param planName string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Major version of Node.js.')
param nodeVersion '22' | '24'

@description('Minimum TLS version for callers. All clients of Power Platform support 1.2.')
param minimumTlsVersion '1.2' | '1.3'

@description('How the app scales.')
param scale Scale

@description('Resource id of the service\'s identity.')
param identityId string

@description('Client id of this identity.')
param identityClientId string

@description('URL of the storage account\'s blob service, with a trailing slash.')
param blobEndpoint string

@description('Container of the deployment package.')
param deploymentContainerName string

@description('Connection string of Application Insights.')
param telemetryConnectionString string

@description('Resource id of the subnet for outbound traffic, or empty.')
param subnetId string

@description('URL under which callers reach the service, or empty for the default host name.')
param serviceUrl string

@description('Settings of the service itself (environment variables), without SERVICE_URL.')
param serviceSettings { *: string }

// Only settings that Flex Consumption supports. Runtime, package and scale are in functionAppConfig.
var platformSettings = {
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  // Without it the host shows Microsoft's page at `/`.
  AzureWebJobsDisableHomepage: 'true'
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetryConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}

var publicUrl = empty(serviceUrl) ? 'https://${site.properties.defaultHostName}' : serviceUrl

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  // azd finds the app of its service `api` by this tag.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    outboundVnetRouting: empty(subnetId) ? null : { allTraffic: true }
    // Only what Flex Consumption supports: in some regions Azure refuses all other members, even with their default values.
    // FTP has no publishing credentials (below).
    siteConfig: {
      http20Enabled: true
      minTlsVersion: minimumTlsVersion
      scmMinTlsVersion: minimumTlsVersion
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${deploymentContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'node'
        version: nodeVersion
      }
      scaleAndConcurrency: {
        instanceMemoryMB: scale.memoryMegabytes
        maximumInstanceCount: scale.maximumInstances
        alwaysReady: scale.alwaysReadyInstances > 0 ? [{ name: 'http', instanceCount: scale.alwaysReadyInstances }] : []
        triggers: {
          http: {
            perInstanceConcurrency: scale.concurrency
          }
        }
      }
    }
  }

  resource ftpPublishing 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
  }

  resource scmPublishing 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: site
  name: 'appsettings'
  properties: union(platformSettings, serviceSettings, { SERVICE_URL: publicUrl })
}

@description('Name of the app.')
output name string = site.name

@description('URL under which callers reach the service.')
output serviceUrl string = publicUrl
