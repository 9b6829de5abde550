// Graph Token Exchange for one Entra tenant, into one resource group: the app, its identity, vault, grant table,
// telemetry, alerts, and on demand Redis and a private network. Holds no secret and outputs none.
//
// Order of a first deployment: modules/identity.bicep (gives the principal id), entra/entra.bicep (gives the client
// id), this file, then the secrets into the vault, then the app. See entra-by-hand.md.

targetScope = 'resourceGroup'

import { Guid, Policy } from 'types/policy.bicep'
import { AlertThresholds, AppOnly, cloudName, Network, OpenTelemetry, Scale, Tags } from 'types/deployment.bicep'

// Names and place.

@description('Short name of the deployment, part of every resource name: lower-case letters and digits.')
@minLength(2)
@maxLength(12)
param name string

@description('Azure region. Flex Consumption must be offered there.')
param location string = resourceGroup().location

@description('Tags on every resource.')
param tags Tags = {}

@description('Name of the app, the first label of its default host name. Unique in the whole cloud.')
param appName string = 'func-${name}-${take(uniqueString(resourceGroup().id, name), 8)}'

@description('Name of the service\'s identity, the same as was given to modules/identity.bicep.')
param identityName string = 'id-${name}'

// The service.

@description('Entra tenant whose callers are served.')
param tenantId Guid = tenant().tenantId

@description('Address under which callers reach the service, https, no path. Empty: the default host name of the app.')
param serviceUrl string = ''

@description('Client id of the registration whose rights are exchanged (entra/entra.bicep, output clientId).')
param clientId Guid

@description('App ID URI of that registration (entra/entra.bicep, output appIdUri): callers ask Entra for access_as_user under it. The default is what entra.bicep registers under its default uniqueName.')
param appIdUri string = 'api://${tenantId}/graph-token-exchange'

@description('How the service proves that it is the registration. managed-identity needs no client secret at all.')
param clientCredential 'managed-identity' | 'key-vault-certificate' | 'key-vault-secret' = 'managed-identity'

@description('Key Vault secret with the client secret, for clientCredential key-vault-secret.')
param clientSecretName string = 'client-secret'

@description('Key Vault certificate (content type application/x-pem-file), for clientCredential key-vault-certificate.')
param clientCertificateName string = 'client-certificate'

@description('Key Vault secret with 32 random bytes in base64, half of the key of every grant.')
param sealingKeyName string = 'sealing-key'

@description('Name of the vault secret with the key that tokens in Redis are encrypted with: 32 random bytes, base64. Needed with useRedis.')
param cacheKeyName string = 'cache-key'

@description('The second registration, for application tokens. Without it there are none.')
param appOnly AppOnly?

@description('Which caller may use which flow for which API and scopes. What is not written is refused.')
param policy Policy

@description('Audiences of v1 tokens that are accepted besides v2 tokens. Empty: v2 only.')
param v1TokenAudiences string[] = []

@description('Serve guests of the tenant.')
param allowGuests bool = false

@description('What the timer does with grants that ended: say so (dry-run) or delete them.')
param grantReap 'delete' | 'dry-run' = 'dry-run'

@description('Table of the grants.')
param grantTableName string = 'grants'

@description('Size of the token cache in each instance, bytes.')
@minValue(1048576)
@maxValue(268435456)
param tokenCacheMaxBytes int = 67108864

@description('Metrics and spans to an OTLP endpoint besides Application Insights. Without it there are none.')
param openTelemetry OpenTelemetry?

// The platform.

@description('Major version of Node.js.')
param nodeVersion '22' | '24' = '24'

@description('Least TLS version for callers.')
param minimumTlsVersion '1.2' | '1.3' = '1.2'

@description('How the app scales.')
param scale Scale = {
  memoryMegabytes: 2048
  maximumInstances: 100
  alwaysReadyInstances: 0
  concurrency: 100
}

@description('Redundancy of the storage account. Use Standard_LRS where the region has no zones.')
param storageSku 'Standard_GRS' | 'Standard_GZRS' | 'Standard_LRS' | 'Standard_ZRS' = 'Standard_ZRS'

@description('Days for which a deleted vault or secret can be brought back.')
@minValue(7)
@maxValue(90)
param softDeleteDays int = 90

@description('How long logs are kept, days.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Add Azure Managed Redis as the second level of the token cache.')
param useRedis bool = false

@description('Size of Redis.')
param redisSku string = 'Balanced_B0'

@description('Reach vault, storage and Redis through a private network only. The HTTPS endpoint of the service stays public.')
param usePrivateNetwork bool = false

@description('Address ranges of the private network.')
param network Network = {
  addressPrefix: '10.20.0.0/24'
  appSubnetPrefix: '10.20.0.0/26'
  endpointSubnetPrefix: '10.20.0.64/27'
  staticOutboundAddress: true
}

@description('Public IPv4 ranges (CIDR) let in to vault and storage while the network is private, for example the machine that deploys.')
param allowedIpRanges string[] = []

@description('Mail addresses that alerts go to. Empty: alerts show in the portal only.')
param alertEmailAddresses string[] = []

@description('When to alert.')
param alertThresholds AlertThresholds = {
  failedPercent: 5
  throttledCount: 50
  credentialDays: 30
}

var suffix = uniqueString(resourceGroup().id, name)
var deploymentContainerName = 'app-package'
var vaultZone = 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
var redisZones = {
  public: 'privatelink.redis.azure.net'
  usgov: 'privatelink.redis.azure.us'
  china: 'privatelink.redis.azure.cn'
}
var cloud = cloudName(environment().name)
var redisZone = redisZones[cloud]

module identity 'modules/identity.bicep' = {
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    workspaceName: 'log-${name}'
    componentName: 'appi-${name}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    identityName: identityName
    principalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: 'st${take(name, 9)}${suffix}'
    location: location
    tags: tags
    sku: storageSku
    deploymentContainerName: deploymentContainerName
    grantTableName: grantTableName
    usePrivateNetwork: usePrivateNetwork
    allowedIpRanges: allowedIpRanges
    identityName: identityName
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: 'kv-${name}-${take(suffix, 8)}'
    location: location
    tags: tags
    tenantId: tenantId
    softDeleteDays: softDeleteDays
    usePrivateNetwork: usePrivateNetwork
    allowedIpRanges: allowedIpRanges
    identityName: identityName
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module redis 'modules/redis.bicep' = if (useRedis) {
  params: {
    name: 'redis-${name}-${take(suffix, 8)}'
    location: location
    tags: tags
    sku: redisSku
    usePrivateNetwork: usePrivateNetwork
    identityName: identityName
    principalId: identity.outputs.principalId
  }
}

module privateNetwork 'modules/network.bicep' = if (usePrivateNetwork) {
  params: {
    name: name
    location: location
    tags: tags
    network: network
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork) {
  params: {
    name: 'pe-${name}-vault'
    location: location
    tags: tags
    targetId: vault.outputs.vaultId
    groupId: 'vault'
    zoneName: vaultZone
    virtualNetworkId: privateNetwork!.outputs.virtualNetworkId
    subnetId: privateNetwork!.outputs.endpointSubnetId
  }
}

module blobEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork) {
  params: {
    name: 'pe-${name}-blob'
    location: location
    tags: tags
    targetId: storage.outputs.accountId
    groupId: 'blob'
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
    virtualNetworkId: privateNetwork!.outputs.virtualNetworkId
    subnetId: privateNetwork!.outputs.endpointSubnetId
  }
}

module tableEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork) {
  params: {
    name: 'pe-${name}-table'
    location: location
    tags: tags
    targetId: storage.outputs.accountId
    groupId: 'table'
    zoneName: 'privatelink.table.${environment().suffixes.storage}'
    virtualNetworkId: privateNetwork!.outputs.virtualNetworkId
    subnetId: privateNetwork!.outputs.endpointSubnetId
  }
}

module redisEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork && useRedis) {
  params: {
    name: 'pe-${name}-redis'
    location: location
    tags: tags
    targetId: redis!.outputs.clusterId
    groupId: 'redisEnterprise'
    zoneName: redisZone
    virtualNetworkId: privateNetwork!.outputs.virtualNetworkId
    subnetId: privateNetwork!.outputs.endpointSubnetId
  }
}

module app 'modules/function-app.bicep' = {
  params: {
    name: appName
    planName: 'plan-${name}'
    location: location
    tags: tags
    nodeVersion: nodeVersion
    minimumTlsVersion: minimumTlsVersion
    scale: scale
    identityId: identity.outputs.resourceId
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    deploymentContainerName: deploymentContainerName
    telemetryConnectionString: monitoring.outputs.connectionString
    subnetId: usePrivateNetwork ? privateNetwork!.outputs.appSubnetId : ''
    serviceUrl: serviceUrl
    serviceSettings: {
      CLOUD: cloud
      TENANT_ID: tenantId
      CLIENT_ID: clientId
      APP_ID_URI: appIdUri
      CLIENT_CREDENTIAL: clientCredential
      KEY_VAULT_URL: vault.outputs.vaultUrl
      CLIENT_SECRET_NAME: clientCredential == 'key-vault-secret' ? clientSecretName : ''
      CLIENT_CERTIFICATE_NAME: clientCredential == 'key-vault-certificate' ? clientCertificateName : ''
      SEALING_KEY_NAME: sealingKeyName
      MANAGED_IDENTITY_CLIENT_ID: identity.outputs.clientId
      GRANT_STORE_URL: storage.outputs.tableEndpoint
      GRANT_TABLE_NAME: grantTableName
      GRANT_REAP: grantReap
      POLICY: string(policy)
      V1_TOKEN_AUDIENCES: join(v1TokenAudiences, ',')
      ALLOW_GUESTS: allowGuests ? 'true' : 'false'
      APP_ONLY_CLIENT_ID: appOnly.?clientId ?? ''
      APP_ONLY_CLIENT_SECRET_NAME: appOnly.?clientSecretName ?? ''
      APP_ONLY_CLIENT_CERTIFICATE_NAME: appOnly.?clientCertificateName ?? ''
      REDIS_URL: useRedis ? redis!.outputs.url : ''
      CACHE_KEY_NAME: cacheKeyName
      TOKEN_CACHE_MAX_BYTES: string(tokenCacheMaxBytes)
      OTEL_EXPORTER_OTLP_ENDPOINT: openTelemetry.?endpoint ?? ''
      OTEL_EXPORTER_OTLP_HEADERS_SECRET_NAME: openTelemetry.?headersSecretName ?? ''
      OTEL_SERVICE_NAME: openTelemetry.?serviceName ?? ''
      OTEL_TRACES_SAMPLER: openTelemetry.?sampler ?? ''
      OTEL_TRACES_SAMPLER_ARG: openTelemetry.?samplerRatio ?? ''
    }
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    emailAddresses: alertEmailAddresses
    thresholds: alertThresholds
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    displayName: 'Graph Token Exchange (${name})'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

@description('Name of the app, for the deployment of the package.')
output appName string = app.outputs.name

@description('Address under which callers reach the service.')
output serviceUrl string = app.outputs.serviceUrl

@description('Where Entra sends a browser back to: the redirect URI of the registration.')
output redirectUri string = '${app.outputs.serviceUrl}/oauth2/callback'

@description('Address of the vault that the secrets belong in, no slash at the end.')
output vaultUrl string = vault.outputs.vaultUrl

@description('Object id of the service\'s identity: subject of the federated credential.')
output principalId string = identity.outputs.principalId

@description('Static outbound address, or empty.')
output outboundAddress string = usePrivateNetwork ? privateNetwork!.outputs.outboundAddress : ''
