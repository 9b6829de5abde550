// The identity of the service: what the vault, the storage, Redis and telemetry know it by, and, as a federated
// credential of the registration, what stands in for a client secret. Deployable on its own, because the registration
// (entra/entra.bicep) needs its principal id before the rest exists.

import { Tags } from '../types/deployment.bicep'

@description('Name of the identity.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id.')
output resourceId string = identity.id

@description('Client id: what the service asks the platform for a token with.')
output clientId string = identity.properties.clientId

@description('Object id of its service principal: what roles are given to, and the subject of the federated credential.')
output principalId string = identity.properties.principalId
