// The role of a pull request's what-if, in addition to Reader: it evaluates a deployment and changes nothing. What-if works
// with it only with `--validation-level ProviderNoRbac` (Azure CLI 2.76), because the default level demands write rights.

targetScope = 'resourceGroup'

@description('Name of the role, which must be unique in the tenant.')
param roleName string = 'Deployment what-if (${resourceGroup().name})'

resource role 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'what-if')
  properties: {
    roleName: roleName
    description: 'Shows what a deployment to this resource group would change. Changes nothing.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          'Microsoft.Resources/deployments/validate/action'
          'Microsoft.Resources/deployments/whatIf/action'
        ]
        notActions: []
      }
    ]
    assignableScopes: [resourceGroup().id]
  }
}

@description('Resource id of the role, for `az role assignment create --role`.')
output roleId string = role.id
