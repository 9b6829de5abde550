// A private endpoint, and the private DNS zone that resolves the public name to the private IP address: a zone of its own
// that it links to the network, an existing zone, or none.

import { Tags } from '../types/deployment.bicep'

@description('Name of the endpoint.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Resource id of the target.')
param targetId string

@description('Group id of the target: vault, blob, table or redisEnterprise.')
param groupId string

@description('Private DNS zone to make, for example privatelink.vaultcore.azure.net. Empty: none.')
param zoneName string

@description('Resource id of the virtual network that resolves the zone to make. Empty: none.')
param virtualNetworkId string

@description('Resource id of an existing private DNS zone. Empty: none.')
param existingZoneId string = ''

@description('Resource id of the subnet.')
param subnetId string

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = if (!empty(zoneName)) {
  name: empty(zoneName) ? 'none' : zoneName
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = if (!empty(zoneName)) {
  parent: zone
  name: name
  location: 'global'
  tags: tags
  properties: {
    registrationEnabled: false
    virtualNetwork: {
      id: virtualNetworkId
    }
  }
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: targetId
          groupIds: [groupId]
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = if (!empty(zoneName) || !empty(existingZoneId)) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: groupId
        properties: {
          privateDnsZoneId: empty(existingZoneId) ? zone.id : existingZoneId
        }
      }
    ]
  }
}
