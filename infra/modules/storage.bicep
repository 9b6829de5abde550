// A storage account without shared keys: the blobs of the Functions host, the container of the deployment package and the
// grant table. The service's identity owns the blobs and may read and write rows of the grant table. Queues and files are
// not used, so there is no role for them.

import { storageRange, Tags } from '../types/deployment.bicep'
import { storageBlobDataOwner, storageTableDataContributor } from '../types/roles.bicep'

@description('Name of the storage account.')
@minLength(3)
@maxLength(24)
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Redundancy. Grants are lost with the account, so main.bicep uses zone redundancy by default.')
param sku 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@description('Container of the deployment package.')
@minLength(3)
@maxLength(63)
param deploymentContainerName string

@description('Name of the table for grants.')
@minLength(3)
@maxLength(63)
param grantTableName string

@description('Allow access only through private endpoints and from `allowedIpRanges`.')
param usePrivateNetwork bool

@description('Public IPv4 addresses or ranges (CIDR) that may connect with a private network.')
param allowedIpRanges string[]

@description('Name of the service\'s identity.')
param identityName string

@description('Object id of this identity.')
param principalId string

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

resource deploymentContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: deploymentContainerName
  properties: {
    publicAccess: 'None'
  }
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource grantTable 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = {
  parent: tables
  name: grantTableName
}

// The host creates containers (azure-webjobs-hosts, azure-webjobs-secrets), so the role is assigned on the whole account.
resource blobOwner 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, identityName, storageBlobDataOwner)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource grantWriter 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: grantTable
  name: guid(grantTable.id, identityName, storageTableDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageTableDataContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

#disable-next-line use-recent-api-versions // Azure has no newer version.
resource blobAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobs
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
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

// Reads are logged as well, because grants are valuable to an attacker.
#disable-next-line use-recent-api-versions // Azure has no newer version.
resource tableAudit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tables
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

@description('URL of the blob service, with a trailing slash.')
output blobEndpoint string = account.properties.primaryEndpoints.blob

@description('URL of the table service, without a trailing slash.')
output tableEndpoint string = 'https://${account.name}.table.${environment().suffixes.storage}'
