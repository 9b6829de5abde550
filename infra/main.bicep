// Deploys Graph Token Exchange for one Entra tenant into one resource group: the app, its identity, vault, grant table,
// telemetry and alerts, and optionally Redis and a private network. It contains and outputs no secret.
//
// Order of the first deployment: modules/identity.bicep (outputs the principal id), entra/entra.bicep (outputs the client
// id), this file, the secrets in the vault, the app. See README.md.

targetScope = 'resourceGroup'

import { Guid, Policy } from 'types/policy.bicep'
import { checkedName, withoutHyphens } from 'types/names.bicep'
import { AlertThresholds, AppOnly, cloudName, ExistingNetwork, Network, OpenTelemetry, Scale, Tags } from 'types/deployment.bicep'

// Names and region.

@description('Short name of the deployment, which is part of every resource name. Lower-case letters, digits and single hyphens between them, for example contoso-read.')
@minLength(2)
@maxLength(12)
param name string

@description('Azure region. It must offer Flex Consumption.')
param location string = resourceGroup().location

@description('Tags on every resource.')
param tags Tags = {}

@description('Name of the app, which is the first label of its default host name. It must be unique in the cloud.')
param appName string = 'func-${name}-${take(uniqueString(resourceGroup().id, name), 8)}'

@description('Name of the service\'s identity, the same as in the deployment of modules/identity.bicep.')
param identityName string = 'id-${name}'

@description('Resource id of the identity that the registrations trust, for example of a resource group with other owners. Empty: the deployment makes identityName in its own group.')
param identityId string = ''

// The service.

@description('The Entra tenant of the callers.')
param tenantId Guid = tenant().tenantId

@description('URL under which callers reach the service: https, without a path. Empty: the default host name of the app.')
param serviceUrl string = ''

@description('Name of your organisation on the pages that people see, for example Contoso. Empty: the pages name none.')
@maxLength(100)
param tenantDisplayName string = ''

@description('https URL at which you publish docs/troubleshooting.md. Every refusal links to the heading of its code there. Empty: refusals name the file in the repository.')
param documentationUrl string = ''

@description('Client id of the registration of the service (output clientId of entra/entra.bicep).')
param clientId Guid

@description('App ID URI of this registration (output appIdUri of entra/entra.bicep). Callers request the scope access_as_user under it. The default is the App ID URI that entra.bicep registers with its default uniqueName.')
param appIdUri string = 'api://${tenantId}/graph-token-exchange'

@description('How the service authenticates as its registration. managed-identity needs no client secret.')
param clientCredential 'managed-identity' | 'key-vault-certificate' | 'key-vault-secret' = 'managed-identity'

@description('Key Vault secret with the client secret, for clientCredential key-vault-secret.')
param clientSecretName string = 'client-secret'

@description('Key Vault certificate (content type application/x-pem-file), for clientCredential key-vault-certificate.')
param clientCertificateName string = 'client-certificate'

@description('Key Vault secret with the sealing key: 32 random bytes in base64. Every grant is encrypted with it and with its handle.')
param sealingKeyName string = 'sealing-key'

@description('Key Vault secret with the key that encrypts tokens in Redis: 32 random bytes in base64. Required with useRedis.')
param cacheKeyName string = 'cache-key'

@description('The app-only registration, for application tokens. Without it, the service issues no application tokens.')
param appOnly AppOnly?

@description('Where the service reads its policy: from a setting that this template writes (at most 32 KB), or from a blob that changes without a deployment.')
param policySource 'blob' | 'setting' = 'setting'

@description('Which caller may use which flow for which API and scopes. Everything else is refused. Required with policySource setting; not used with blob.')
param policy Policy?

@description('Object ids of the people, groups and pipelines that may change the policy, with policySource blob.')
param policyWriterIds string[] = []

@description('Audiences of v1 tokens that the service accepts. Empty: the service accepts only v2 tokens.')
param v1TokenAudiences string[] = []

@description('Accept tokens of guest users.')
param allowGuests bool = false

@description('What the timer does with expired grants: count them (dry-run) or delete them (delete).')
param grantReap 'delete' | 'dry-run' = 'dry-run'

@description('Name of the table for grants.')
param grantTableName string = 'grants'

@description('Create an Event Grid topic that receives the events of grants, as CloudEvents.')
param useEventGrid bool = false

@description('https URL of a webhook that receives the events of grants, each signed. Empty: no webhook.')
param eventWebhookUrl string = ''

@description('Key Vault secret that signs the webhook: whsec_ and 24 to 64 random bytes in base64. Required with eventWebhookUrl.')
param eventWebhookSecretName string = 'event-webhook-secret'

@description('Size of the token cache in each instance, in bytes.')
@minValue(1048576)
@maxValue(268435456)
param tokenCacheMaxBytes int = 67108864

@description('Sends metrics and spans to an OTLP endpoint, in addition to Application Insights. Optional.')
param openTelemetry OpenTelemetry?

// The platform.

@description('Major version of Node.js.')
param nodeVersion '22' | '24' = '24'

@description('Minimum TLS version for callers.')
param minimumTlsVersion '1.2' | '1.3' = '1.2'

@description('How the app scales.')
param scale Scale = {
  memoryMegabytes: 2048
  maximumInstances: 100
  alwaysReadyInstances: 0
  concurrency: 100
}

@description('Redundancy of the storage account. Use Standard_LRS if the region has no availability zones.')
param storageSku 'Standard_GRS' | 'Standard_GZRS' | 'Standard_LRS' | 'Standard_ZRS' = 'Standard_ZRS'

@description('Days for which a deleted vault or secret can be recovered.')
@minValue(7)
@maxValue(90)
param softDeleteDays int = 90

@description('Set it to true for one deployment if the resource group was deleted: Azure then restores the vault with its secrets instead of refusing its name.')
param recoverDeletedVault bool = false

@description('Retention of logs in days.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Add Azure Managed Redis as the second level of the token cache.')
param useRedis bool = false

@description('Size of Redis.')
param redisSku string = 'Balanced_B0'

@description('Make vault, storage and Redis reachable only through a private network. The HTTPS endpoint of the service stays public.')
param usePrivateNetwork bool = false

@description('Subnets and DNS zones that exist already, with usePrivateNetwork. The deployment then makes no network.')
param existingNetwork ExistingNetwork?

@description('Address ranges of the private network that the deployment makes.')
param network Network = {
  addressPrefix: '10.20.0.0/24'
  appSubnetPrefix: '10.20.0.0/26'
  endpointSubnetPrefix: '10.20.0.64/27'
  staticOutboundAddress: true
}

@description('Public IPv4 addresses or ranges (CIDR) that may reach vault and storage with a private network, for example the address of an administrator. The upload of the package needs none: the platform writes the blob with the identity of the app.')
param allowedIpRanges string[] = []

@description('Email addresses that receive alerts. Empty: alerts appear only in the portal.')
param alertEmailAddresses string[] = []

@description('Thresholds of the alerts.')
param alertThresholds AlertThresholds = {
  failedPercent: 5
  failedCount: 100
  refusedCount: 100
  grantCount: 1
  throttledCount: 50
  credentialDays: 30
}

@description('The audit logs of Entra are routed to the workspace of this deployment: alert on changes of the registrations.')
param hasEntraAuditLogs bool = false

var shortName = checkedName(name)
var suffix = uniqueString(resourceGroup().id, name)
var deploymentContainerName = 'app-package'
var vaultZone = 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
var redisZones = {
  public: 'privatelink.redis.azure.net'
  usgov: 'privatelink.redis.azure.us'
  china: 'privatelink.redis.azure.cn'
}
// The registrations of a policy in a blob are not known here.
var registrationClientIds = concat(
  [clientId],
  appOnly == null ? [] : [appOnly!.clientId],
  map(items(policy.?registrations ?? {}), registration => registration.value.clientId)
)
var cloud = cloudName(environment().name)
var redisZone = redisZones[cloud]
var makesNetwork = usePrivateNetwork && existingNetwork == null
var virtualNetworkId = makesNetwork ? privateNetwork!.outputs.virtualNetworkId : ''
var endpointSubnetId = makesNetwork ? privateNetwork!.outputs.endpointSubnetId : existingNetwork.?endpointSubnetId ?? ''
var appSubnetId = makesNetwork
  ? privateNetwork!.outputs.appSubnetId
  : usePrivateNetwork ? existingNetwork!.appSubnetId : ''
var zoneIds = existingNetwork.?zoneIds
var trustedIdentityId = empty(identityId) ? identity!.outputs.resourceId : identityId
var principalId = empty(identityId) ? identity!.outputs.principalId : givenIdentity!.properties.principalId
var identityClientId = empty(identityId) ? identity!.outputs.clientId : givenIdentity!.properties.clientId

module identity 'modules/identity.bicep' = if (empty(identityId)) {
  params: {
    name: identityName
    location: location
    tags: tags
  }
}

resource givenIdentity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = if (!empty(identityId)) {
  name: last(split(identityId, '/'))
  scope: resourceGroup(
    empty(identityId) ? subscription().subscriptionId : split(identityId, '/')[2],
    empty(identityId) ? resourceGroup().name : split(identityId, '/')[4]
  )
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    workspaceName: 'log-${shortName}'
    componentName: 'appi-${shortName}'
    location: location
    tags: tags
    retentionDays: logRetentionDays
    identityName: identityName
    principalId: principalId
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: 'st${withoutHyphens(name, 9)}${suffix}'
    location: location
    tags: tags
    sku: storageSku
    deploymentContainerName: deploymentContainerName
    grantTableName: grantTableName
    usePrivateNetwork: usePrivateNetwork
    allowedIpRanges: allowedIpRanges
    identityName: identityName
    principalId: principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module policyStorage 'modules/policy-storage.bicep' = if (policySource == 'blob') {
  params: {
    name: 'stp${withoutHyphens(name, 8)}${suffix}'
    location: location
    tags: tags
    sku: storageSku
    usePrivateNetwork: usePrivateNetwork
    allowedIpRanges: allowedIpRanges
    identityName: identityName
    principalId: principalId
    writerIds: policyWriterIds
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: 'kv-${shortName}-${take(suffix, 8)}'
    location: location
    tags: tags
    recoverDeleted: recoverDeletedVault
    softDeleteDays: softDeleteDays
    usePrivateNetwork: usePrivateNetwork
    allowedIpRanges: allowedIpRanges
    identityName: identityName
    principalId: principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module eventTopic 'modules/event-topic.bicep' = if (useEventGrid) {
  params: {
    name: 'evgt-${shortName}-${take(suffix, 8)}'
    location: location
    tags: tags
    identityName: identityName
    principalId: principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module redis 'modules/redis.bicep' = if (useRedis) {
  params: {
    name: 'redis-${shortName}-${take(suffix, 8)}'
    location: location
    tags: tags
    sku: redisSku
    usePrivateNetwork: usePrivateNetwork
    identityName: identityName
    principalId: principalId
  }
}

module privateNetwork 'modules/network.bicep' = if (makesNetwork) {
  params: {
    name: shortName
    location: location
    tags: tags
    network: network
  }
}

module vaultEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork) {
  params: {
    name: 'pe-${shortName}-vault'
    location: location
    tags: tags
    targetId: vault.outputs.vaultId
    groupId: 'vault'
    zoneName: makesNetwork ? vaultZone : ''
    existingZoneId: zoneIds.?vault ?? ''
    virtualNetworkId: virtualNetworkId
    subnetId: endpointSubnetId
  }
}

module blobEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork) {
  params: {
    name: 'pe-${shortName}-blob'
    location: location
    tags: tags
    targetId: storage.outputs.accountId
    groupId: 'blob'
    zoneName: makesNetwork ? 'privatelink.blob.${environment().suffixes.storage}' : ''
    existingZoneId: zoneIds.?blob ?? ''
    virtualNetworkId: virtualNetworkId
    subnetId: endpointSubnetId
  }
}

module policyEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork && policySource == 'blob') {
  params: {
    name: 'pe-${shortName}-policy'
    location: location
    tags: tags
    targetId: policyStorage!.outputs.accountId
    groupId: 'blob'
    zoneName: makesNetwork ? 'privatelink.blob.${environment().suffixes.storage}' : ''
    existingZoneId: zoneIds.?blob ?? ''
    virtualNetworkId: virtualNetworkId
    subnetId: endpointSubnetId
  }
  // Both endpoints use the same zone, and a zone must not be deployed twice at the same time.
  dependsOn: [
    blobEndpoint
  ]
}

module tableEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork) {
  params: {
    name: 'pe-${shortName}-table'
    location: location
    tags: tags
    targetId: storage.outputs.accountId
    groupId: 'table'
    zoneName: makesNetwork ? 'privatelink.table.${environment().suffixes.storage}' : ''
    existingZoneId: zoneIds.?table ?? ''
    virtualNetworkId: virtualNetworkId
    subnetId: endpointSubnetId
  }
}

module redisEndpoint 'modules/private-endpoint.bicep' = if (usePrivateNetwork && useRedis) {
  params: {
    name: 'pe-${shortName}-redis'
    location: location
    tags: tags
    targetId: redis!.outputs.clusterId
    groupId: 'redisEnterprise'
    zoneName: makesNetwork ? redisZone : ''
    existingZoneId: zoneIds.?redis ?? ''
    virtualNetworkId: virtualNetworkId
    subnetId: endpointSubnetId
  }
}

module app 'modules/function-app.bicep' = {
  params: {
    name: appName
    planName: 'plan-${shortName}'
    location: location
    tags: tags
    nodeVersion: nodeVersion
    minimumTlsVersion: minimumTlsVersion
    scale: scale
    identityId: trustedIdentityId
    identityClientId: identityClientId
    blobEndpoint: storage.outputs.blobEndpoint
    deploymentContainerName: deploymentContainerName
    telemetryConnectionString: monitoring.outputs.connectionString
    subnetId: appSubnetId
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
      MANAGED_IDENTITY_CLIENT_ID: identityClientId
      GRANT_STORE_URL: storage.outputs.tableEndpoint
      GRANT_TABLE_NAME: grantTableName
      GRANT_REAP: grantReap
      EVENT_GRID_TOPIC_ENDPOINT: useEventGrid ? eventTopic!.outputs.endpoint : ''
      EVENT_WEBHOOK_URL: eventWebhookUrl
      EVENT_WEBHOOK_SECRET_NAME: eventWebhookSecretName
      POLICY: policySource == 'setting' ? string(policy!) : ''
      POLICY_URL: policySource == 'blob' ? policyStorage!.outputs.policyUrl : ''
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
      TENANT_DISPLAY_NAME: tenantDisplayName
      DOCUMENTATION_URL: documentationUrl
    }
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    name: shortName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    principalId: principalId
    registrationClientIds: hasEntraAuditLogs ? registrationClientIds : []
    emailAddresses: alertEmailAddresses
    thresholds: alertThresholds
  }
}

module changeAlerts 'modules/change-alerts.bicep' = {
  params: {
    name: shortName
    tags: tags
    recipientsId: alerts.outputs.recipientsId
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    displayName: 'Graph Token Exchange (${shortName})'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

@description('Name of the app, for the deployment of the package.')
output appName string = app.outputs.name

@description('URL under which callers reach the service.')
output serviceUrl string = app.outputs.serviceUrl

@description('Redirect URI of the registration.')
output redirectUri string = '${app.outputs.serviceUrl}/oauth2/callback'

@description('URL of the vault for the secrets, without a trailing slash.')
output vaultUrl string = vault.outputs.vaultUrl

@description('URL of the blob with the policy, or empty.')
output policyUrl string = policySource == 'blob' ? policyStorage!.outputs.policyUrl : ''

@description('Name of the Event Grid topic, or empty.')
output eventTopicName string = useEventGrid ? eventTopic!.outputs.name : ''

@description('Object id of the service\'s identity, which is the subject of the federated credential.')
output principalId string = principalId

@description('Static outbound IP address, or empty.')
output outboundAddress string = makesNetwork ? privateNetwork!.outputs.outboundAddress : ''
