// The Key Vault of this service: the sealing key of the grants and, if there is one, the client credential. This template
// creates the vault and assigns the role for reading it. It contains no secret values: an administrator or a separate
// pipeline sets the secrets (README.md).
//
// The role is assigned on the vault and not on each secret, because the vault contains only this service's secrets, as
// Microsoft recommends (https://learn.microsoft.com/azure/key-vault/general/rbac-guide), and because a role on a secret
// cannot be assigned before the secret exists.

import { Tags } from '../types/deployment.bicep'
import { keyVaultSecretsUser } from '../types/roles.bicep'

@description('Name of the vault.')
@minLength(3)
@maxLength(24)
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Restore the deleted vault of this name. Azure refuses to make a vault whose name a deleted vault has.')
param recoverDeleted bool

@description('Days for which a deleted vault or secret can be recovered and cannot be purged.')
@minValue(7)
@maxValue(90)
param softDeleteDays int

@description('Allow access only through a private endpoint and from `allowedIpRanges`.')
param usePrivateNetwork bool

@description('Public IPv4 addresses or ranges (CIDR) that may connect with a private network.')
param allowedIpRanges string[]

@description('Name of the service\'s identity.')
param identityName string

@description('Object id of this identity.')
param principalId string

@description('Resource id of the Log Analytics workspace for the audit log.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // The tenant of the subscription, whose identities read the vault. The callers may be in another tenant.
    tenantId: tenant().tenantId
    createMode: recoverDeleted ? 'recover' : 'default'
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteDays
    enabledForDeployment: false
    enabledForTemplateDeployment: false
    enabledForDiskEncryption: false
    publicNetworkAccess: usePrivateNetwork && empty(allowedIpRanges) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: usePrivateNetwork ? 'Deny' : 'Allow'
      ipRules: map(usePrivateNetwork ? allowedIpRanges : [], cidr => { value: cidr })
    }
  }
}

resource secretsUser 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, identityName, keyVaultSecretsUser)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', keyVaultSecretsUser)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

#disable-next-line use-recent-api-versions // Azure has no newer version.
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Resource id.')
output vaultId string = vault.id

@description('URL of the vault, without a trailing slash.')
output vaultUrl string = 'https://${vault.name}${environment().suffixes.keyvaultDns}'
