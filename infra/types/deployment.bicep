// Types of the deployment parameters: scale, network, registrations, telemetry, alerts.

import { Guid } from 'policy.bicep'

@export()
@description('Tags of every resource that supports tags.')
type Tags = { *: string }

@export()
@description('Memory of one instance in megabytes. Flex Consumption offers only these sizes.')
type InstanceMemory = 512 | 2048 | 4096

@export()
@description('How the app scales. HTTP functions scale together, with one instance for each `concurrency` concurrent requests.')
@sealed()
type Scale = {
  memoryMegabytes: InstanceMemory

  @description('Maximum number of instances.')
  @minValue(40)
  @maxValue(1000)
  maximumInstances: int

  @description('Always ready instances, which are billed continuously. 0: the first request after a pause waits for a cold start.')
  @minValue(0)
  @maxValue(100)
  alwaysReadyInstances: int

  @description('Concurrent HTTP requests of one instance. Requests mostly wait for Entra, so one instance can handle many.')
  @minValue(1)
  @maxValue(1000)
  concurrency: int
}

@export()
@description('Address ranges of the private network in CIDR notation.')
@sealed()
type Network = {
  addressPrefix: string

  @description('Subnet of the app, delegated to Microsoft.App/environments. /26 is enough for at least 40 instances.')
  appSubnetPrefix: string

  @description('Subnet of the private endpoints.')
  endpointSubnetPrefix: string

  @description('Subnet for administrators and their runners, which may reach vault and storage. Optional.')
  adminSubnetPrefix: string?

  @description('Give the app a static outbound IP address (NAT gateway), for Conditional Access by location.')
  staticOutboundAddress: bool
}

@export()
@description('Subnets and DNS zones that exist already, for example in a landing zone.')
@sealed()
type ExistingNetwork = {
  @description('Resource id of the subnet of the app, delegated to Microsoft.App/environments, with a way to the internet.')
  @minLength(1)
  appSubnetId: string

  @description('Resource id of the subnet for the private endpoints.')
  @minLength(1)
  endpointSubnetId: string

  @description('Resource ids of the private DNS zones. Without them the endpoints get no DNS records from this deployment, for networks where Azure Policy makes the records.')
  zoneIds: {
    @minLength(1)
    vault: string

    @minLength(1)
    blob: string

    @minLength(1)
    table: string

    @description('Required with useRedis.')
    redis: string?
  }?
}

@export()
@description('The app-only registration, for application tokens. It must have no delegated permissions.')
@sealed()
type AppOnly = {
  clientId: Guid

  @description('Key Vault secret with its client secret, for clientCredential key-vault-secret.')
  @minLength(1)
  @maxLength(127)
  clientSecretName: string?

  @description('Key Vault certificate of this registration, for clientCredential key-vault-certificate.')
  @minLength(1)
  @maxLength(127)
  clientCertificateName: string?
}

@export()
@description('Settings of OpenTelemetry; see docs/telemetry.md.')
@sealed()
type OpenTelemetry = {
  @description('Base URL of the OTLP endpoint, https.')
  @minLength(1)
  endpoint: string

  @description('Key Vault secret with the headers that the endpoint requires: name=value,name=value.')
  @minLength(1)
  @maxLength(127)
  headersSecretName: string?

  @description('service.name of metrics and spans.')
  serviceName: string?

  @description('Sampler: which exchanges create a span.')
  sampler: (
    | 'always_off'
    | 'always_on'
    | 'parentbased_always_off'
    | 'parentbased_always_on'
    | 'parentbased_traceidratio'
    | 'traceidratio')?

  @description('Ratio of sampled traces from 0 to 1, for the traceidratio samplers.')
  samplerRatio: string?
}

@export()
@description('Thresholds of the alerts.')
@sealed()
type AlertThresholds = {
  @description('Percentage of failed exchanges of known callers in 15 minutes. Refusals do not count.')
  @minValue(1)
  @maxValue(100)
  failedPercent: int

  @description('Number of failed exchanges of known callers in 15 minutes, whatever percentage they are.')
  @minValue(1)
  failedCount: int

  @description('Number of refused requests of one caller in 15 minutes.')
  @minValue(1)
  refusedCount: int

  @description('Number of new unattended grants and imported refresh tokens in an hour.')
  @minValue(1)
  grantCount: int

  @description('Number of throttled exchanges in 15 minutes.')
  @minValue(1)
  throttledCount: int

  @description('Days before the client credential expires at which the alert fires.')
  @minValue(1)
  credentialDays: int
}

@export()
@description('Value of the setting CLOUD for an Azure environment.')
func cloudName(environmentName string) string =>
  environmentName == 'AzureUSGovernment' ? 'usgov' : environmentName == 'AzureChinaCloud' ? 'china' : 'public'

@export()
@description('An address or range as the firewall of a storage account takes it: one address has no prefix, and /31 and /32 are refused. https://learn.microsoft.com/azure/storage/common/storage-network-security-limitations')
func storageRange(range string) string =>
  endsWith(range, '/31')
    ? fail('The firewall of a storage account refuses ${range}. Give both addresses without a prefix.')
    : replace(range, '/32', '')
