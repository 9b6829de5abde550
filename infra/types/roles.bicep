// The built-in roles of the service's identity, which has no other roles, and of those who change the policy. The ids are the same in every tenant and cloud:
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles

@export()
@description('Reads the values of secrets and of the secrets behind certificates. It has no access to keys.')
var keyVaultSecretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

@export()
@description('Required by the Functions host for its storage: leases, host keys, the deployment package.')
var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'

@export()
@description('Reads and writes rows of the grant table.')
var storageTableDataContributor = '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'

@export()
@description('Reads the policy in its blob.')
var storageBlobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'

@export()
@description('Changes the policy in its blob. For people and pipelines; the service does not have it.')
var storageBlobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

@export()
@description('Publishes events to the Event Grid topic.')
var eventGridDataSender = 'd5a91429-5739-47e2-a06b-3470a27159e7'

@export()
@description('Sends telemetry to Application Insights.')
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
