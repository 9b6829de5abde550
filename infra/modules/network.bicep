// The private network: a subnet for the app, a subnet for private endpoints, and optionally a static outbound IP address.

import { Network, Tags } from '../types/deployment.bicep'

@description('Prefix of the resource names.')
param name string

@description('Azure region.')
param location string

@description('Tags.')
param tags Tags

@description('Address ranges.')
param network Network

resource appRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-${name}-app'
  location: location
  tags: tags
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-${name}-endpoints'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'allow-app'
        properties: {
          description: 'The app reaches vault, storage and Redis.'
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: network.appSubnetPrefix
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

resource outboundAddress 'Microsoft.Network/publicIPAddresses@2024-07-01' = if (network.staticOutboundAddress) {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAddressVersion: 'IPv4'
    publicIPAllocationMethod: 'Static'
  }
}

resource natGateway 'Microsoft.Network/natGateways@2024-07-01' = if (network.staticOutboundAddress) {
  name: 'ng-${name}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
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

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [network.addressPrefix]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: network.appSubnetPrefix
          networkSecurityGroup: {
            id: appRules.id
          }
          natGateway: network.staticOutboundAddress ? { id: natGateway.id } : null
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
      {
        name: 'endpoints'
        properties: {
          addressPrefix: network.endpointSubnetPrefix
          privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
          networkSecurityGroup: {
            id: endpointRules.id
          }
        }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

@description('Resource id of the virtual network.')
output virtualNetworkId string = virtualNetwork.id

@description('Resource id of the app\'s subnet.')
output appSubnetId string = virtualNetwork::app.id

@description('Resource id of the subnet of the private endpoints.')
output endpointSubnetId string = virtualNetwork::endpoints.id

@description('Static outbound IP address, or empty.')
output outboundAddress string = network.staticOutboundAddress ? outboundAddress!.properties.ipAddress : ''
