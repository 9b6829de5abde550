// Azure Managed Redis as the second level of the token cache. Only Entra authentication is allowed; access keys are
// disabled. Redis writes nothing to disk. The service encrypts all entries with a key that Redis does not have.

import { Tags } from '../types/deployment.bicep'

@description('Name of the Redis cluster.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Size, for example Balanced_B0 (0.5 GB).')
param sku string

@description('Allow access only through a private endpoint.')
param usePrivateNetwork bool

@description('Name of the service\'s identity.')
param identityName string

@description('Object id of this identity.')
param principalId string

var port = 10000

resource cluster 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: sku
  }
  properties: {
    minimumTlsVersion: '1.2'
    publicNetworkAccess: usePrivateNetwork ? 'Disabled' : 'Enabled'
  }
}

// EnterpriseCluster has one endpoint for all shards. OSSCluster would redirect the client between shards.
resource database 'Microsoft.Cache/redisEnterprise/databases@2025-07-01' = {
  parent: cluster
  name: 'default'
  properties: {
    accessKeysAuthentication: 'Disabled'
    clientProtocol: 'Encrypted'
    clusteringPolicy: 'EnterpriseCluster'
    evictionPolicy: 'VolatileLRU'
    persistence: {
      aofEnabled: false
      rdbEnabled: false
    }
    port: port
  }
}

resource access 'Microsoft.Cache/redisEnterprise/databases/accessPolicyAssignments@2025-07-01' = {
  parent: database
  name: take(replace(identityName, '-', ''), 60)
  properties: {
    accessPolicyName: 'default'
    user: {
      objectId: principalId
    }
  }
}

@description('Resource id of the cluster.')
output clusterId string = cluster.id

@description('URL for the service.')
output url string = 'rediss://${cluster.properties.hostName}:${port}'
