// A storage account for the policy alone, without shared keys. The service's identity may read the container and cannot
// write it, so that the app cannot change its own policy: on the account of the Functions host it owns the blobs. Old
// versions of the policy are kept for seven days, and every read and write is logged.

import { storageRange, Tags } from '../types/deployment.bicep'
import { storageBlobDataContributor, storageBlobDataReader } from '../types/roles.bicep'

@description('Name of the storage account.')
@minLength(3)
@maxLength(24)
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Redundancy.')
param sku 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@description('Allow access only through private endpoints and from `allowedIpRanges`.')
param usePrivateNetwork bool

@description('Public IPv4 addresses or ranges (CIDR) that may connect with a private network.')
param allowedIpRanges string[]

@description('Name of the service\'s identity.')
param identityName string

@description('Object id of this identity.')
param principalId string

@description('Object ids of the people, groups and pipelines that may change the policy.')
param writerIds string[]

@description('Resource id of the Log Analytics workspace for the audit log.')
param workspaceId string

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    allowedCopyScope: 'AAD'
    defaultToOAuthAuthentication: true
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
    }
    isLocalUserEnabled: false
    isSftpEnabled: false
    minimumTlsVersion: 'TLS1_2'
    networkAcls: {
      bypass: 'None'
      defaultAction: usePrivateNetwork ? 'Deny' : 'Allow'
      ipRules: map(usePrivateNetwork ? allowedIpRanges : [], range => { value: storageRange(range), action: 'Allow' })
    }
    publicNetworkAccess: usePrivateNetwork && empty(allowedIpRanges) ? 'Disabled' : 'Enabled'
    supportsHttpsTrafficOnly: true
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: 'policy'
  properties: {
    publicAccess: 'None'
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: container
  name: guid(container.id, identityName, storageBlobDataReader)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataReader)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource writers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for writerId in writerIds: {
    scope: container
    name: guid(container.id, writerId, storageBlobDataContributor)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataContributor)
      principalId: writerId
    }
  }
]

#disable-next-line use-recent-api-versions // Azure has no newer version.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'StorageRead'
        enabled: true
      }
      {
        category: 'StorageWrite'
        enabled: true
      }
      {
        category: 'StorageDelete'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the account.')
output accountId string = account.id

@description('URL of the blob with the policy.')
output policyUrl string = '${account.properties.primaryEndpoints.blob}${container.name}/policy.json'
