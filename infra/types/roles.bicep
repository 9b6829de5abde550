// The built-in roles of the service's identity. It has no other roles. The ids are the same in every tenant and cloud:
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
@description('Sends telemetry to Application Insights.')
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'
