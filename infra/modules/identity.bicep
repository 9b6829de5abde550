// The managed identity of the service. The service uses it for vault, storage, Redis and telemetry, and as a federated
// credential of its registration instead of a client secret. This module can be deployed separately, because the
// registration (entra/entra.bicep) needs the principal id before the other resources exist.

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

@description('Client id, with which the service requests tokens from the platform.')
output clientId string = identity.properties.clientId

@description('Object id of its service principal, which gets the roles and is the subject of the federated credential.')
output principalId string = identity.properties.principalId
