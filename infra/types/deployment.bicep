// Types of the parameters that shape the deployment itself: size, network, names, alerts.

import { Guid } from 'policy.bicep'

@export()
@description('Tags on every resource that can carry them.')
type Tags = { *: string }

@export()
@description('Memory of one instance, megabytes. Flex Consumption offers these sizes only.')
type InstanceMemory = 512 | 2048 | 4096

@export()
@description('How the app scales. HTTP functions scale together, one instance per `concurrency` requests under way.')
@sealed()
type Scale = {
  memoryMegabytes: InstanceMemory

  @description('Most instances at once.')
  @minValue(40)
  @maxValue(1000)
  maximumInstances: int

  @description('Instances kept warm (billed all the time). 0: none, the first request after a pause waits for a cold start.')
  @minValue(0)
  @maxValue(100)
  alwaysReadyInstances: int

  @description('HTTP requests that one instance handles at once. The work is waiting for Entra, so many fit.')
  @minValue(1)
  @maxValue(1000)
  concurrency: int
}

@export()
@description('The private network: address ranges in CIDR form.')
@sealed()
type Network = {
  addressPrefix: string

  @description('Subnet of the app, delegated to Microsoft.App/environments. /26 is enough for 40 instances and more.')
  appSubnetPrefix: string

  @description('Subnet of the private endpoints.')
  endpointSubnetPrefix: string

  @description('Give the app one static outbound address (NAT gateway), for Conditional Access by location.')
  staticOutboundAddress: bool
}

@export()
@description('The second registration, for application tokens. It must hold no delegated permission.')
@sealed()
type AppOnly = {
  clientId: Guid

  @description('Key Vault secret with its client secret, for clientCredential key-vault-secret.')
  @minLength(1)
  @maxLength(127)
  clientSecretName: string?

  @description('Its Key Vault certificate, for clientCredential key-vault-certificate.')
  @minLength(1)
  @maxLength(127)
  clientCertificateName: string?
}

@export()
@description('OpenTelemetry: docs/telemetry.md.')
@sealed()
type OpenTelemetry = {
  @description('Base URL of the OTLP endpoint, https.')
  @minLength(1)
  endpoint: string

  @description('Key Vault secret with the headers that the endpoint wants: name=value,name=value.')
  @minLength(1)
  @maxLength(127)
  headersSecretName: string?

  @description('service.name of metrics and spans.')
  serviceName: string?

  @description('Which exchanges give a span.')
  sampler: (
    | 'always_off'
    | 'always_on'
    | 'parentbased_always_off'
    | 'parentbased_always_on'
    | 'parentbased_traceidratio'
    | 'traceidratio')?

  @description('Part of the traces, 0 to 1, for the samplers with traceidratio in their name.')
  samplerRatio: string?
}

@export()
@description('Thresholds of the alerts.')
@sealed()
type AlertThresholds = {
  @description('Failed exchanges (our fault or Entra\'s, not refusals) in 15 minutes, percent of all.')
  @minValue(1)
  @maxValue(100)
  failedPercent: int

  @description('Throttled exchanges in 15 minutes, count.')
  @minValue(1)
  throttledCount: int

  @description('Days before the end of the client credential when the warning starts.')
  @minValue(1)
  credentialDays: int
}

@export()
@description('The service\'s own name (setting CLOUD) of an Azure environment.')
func cloudName(environmentName string) string =>
  environmentName == 'AzureUSGovernment' ? 'usgov' : environmentName == 'AzureChinaCloud' ? 'china' : 'public'
