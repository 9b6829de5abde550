// The private network: a subnet for the app, a subnet for private endpoints, optionally a subnet for administrators and
// their runners, and optionally a static outbound IP address. The subnets are resources of their own, so that a deployment
// leaves other subnets of the network as they are.

import { Network, Tags } from '../types/deployment.bicep'

@description('Prefix of the resource names.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Address ranges.')
param network Network

var adminPrefix = network.?adminSubnetPrefix ?? ''
var sources = empty(adminPrefix) ? [network.appSubnetPrefix] : [network.appSubnetPrefix, adminPrefix]
var hasStaticAddress = network.staticOutboundAddress

resource appRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-${name}-app'
  location: location
  tags: tags
}

resource adminRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = if (!empty(adminPrefix)) {
  name: 'nsg-${name}-admin'
  location: location
  tags: tags
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'allow-app'
        properties: {
          description: 'The app reaches vault, storage and Redis, and administrators reach vault and storage.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefixes: sources
          sourcePortRange: '*'
          destinationAddressPrefix: network.endpointSubnetPrefix
          destinationPortRanges: ['443', '10000']
        }
      }
      {
        name: 'deny-others'
        properties: {
          description: 'Deny all other traffic.'
          priority: 4096
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

// StandardV2 spans the availability zones of the region. Standard is in one zone, which Azure chooses.
resource outboundAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (hasStaticAddress) {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: {
    name: 'StandardV2'
  }
  properties: {
    publicIPAddressVersion: 'IPv4'
    publicIPAllocationMethod: 'Static'
  }
}

resource natGateway 'Microsoft.Network/natGateways@2025-05-01' = if (hasStaticAddress) {
  name: 'ng-${name}'
  location: location
  tags: tags
  sku: {
    name: 'StandardV2'
  }
  properties: {
    idleTimeoutInMinutes: 4
    publicIpAddresses: [
      {
        id: outboundAddress.id
      }
    ]
  }
}

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [network.addressPrefix]
    }
  }
}

resource app 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = {
  parent: virtualNetwork
  name: 'app'
  properties: {
    addressPrefix: network.appSubnetPrefix
    // The app needs the internet: Entra and Graph. New networks give a subnet no way out by themselves.
    defaultOutboundAccess: !hasStaticAddress
    networkSecurityGroup: {
      id: appRules.id
    }
    natGateway: hasStaticAddress ? { id: natGateway.id } : null
    delegations: [
      {
        name: 'flex'
        properties: {
          serviceName: 'Microsoft.App/environments'
        }
      }
    ]
  }
}

// Azure changes one subnet of a network at a time.
resource endpoints 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = {
  parent: virtualNetwork
  name: 'endpoints'
  properties: {
    addressPrefix: network.endpointSubnetPrefix
    defaultOutboundAccess: false
    privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
    networkSecurityGroup: {
      id: endpointRules.id
    }
  }
  dependsOn: [
    app
  ]
}

resource admin 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' = if (!empty(adminPrefix)) {
  parent: virtualNetwork
  name: 'admin'
  properties: {
    addressPrefix: adminPrefix
    defaultOutboundAccess: false
    networkSecurityGroup: {
      id: adminRules.id
    }
    natGateway: hasStaticAddress ? { id: natGateway.id } : null
  }
  dependsOn: [
    endpoints
  ]
}

@description('Resource id of the virtual network.')
output virtualNetworkId string = virtualNetwork.id

@description('Resource id of the app\'s subnet.')
output appSubnetId string = app.id

@description('Resource id of the subnet of the private endpoints.')
output endpointSubnetId string = endpoints.id

@description('Static outbound IP address, or empty.')
output outboundAddress string = hasStaticAddress ? outboundAddress!.properties.ipAddress : ''
