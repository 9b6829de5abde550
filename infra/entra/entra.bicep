// The Entra part of the service: the registration with its service principal and consent, the second registration for
// application tokens, and the public client of the command line. It creates no client secret: the managed identity is the
// credential.
//
// This is a separate template because it needs other rights (an administrator of the tenant), because what-if does not
// support Graph resources, and because the Graph extension comes from a registry. It works only in the public cloud. For
// other clouds, and for administrators who prefer commands, see ../entra-by-hand.md.

extension microsoftGraphV1

targetScope = 'resourceGroup'

import {
  accessAsUser
  accessTokenClaims
  ApplicationCaller
  appRoles
  defaultAccess
  federationAudience
  federationIssuer
  graphAppId
  roleIds
  servicePrincipalLock
} from 'registration.bicep'

@description('Display name of the registrations.')
param displayName string = 'Graph Token Exchange'

@description('Unique key of the registrations in this tenant. Do not change it later. A second deployment needs another key.')
@minLength(3)
@maxLength(60)
param uniqueName string = 'graph-token-exchange'

@description('URL of the service (setting SERVICE_URL): https, without a path and without a trailing slash.')
@minLength(10)
param serviceUrl string

@description('Object id of the managed identity (output principalId of modules/identity.bicep). Empty: no federated credential.')
param managedIdentityPrincipalId string = ''

@description('Delegated permissions of Microsoft Graph in the tokens that the service issues. Every token has all of them: different permissions need separate deployments.')
param graphScopes string[] = ['User.Read', 'offline_access', 'openid', 'profile']

@description('Grant admin consent to these permissions for all users of the tenant. Needs a Privileged Role Administrator.')
param grantConsent bool = true

@description('Client ids of applications that are pre-authorized for access_as_user, so that their users do not have to consent.')
param preAuthorizedClientIds string[] = []

@description('Applications that call the service with their own token, and their app roles.')
param applicationCallers ApplicationCaller[] = []

@description('Object ids of the groups and users that may use the service. Entra issues tokens for the service only to them.')
param assignedPrincipalIds string[] = []

@description('Application permissions of Microsoft Graph for the second registration. Empty: no second registration.')
param appOnlyGraphRoles string[] = []

@description('Register the public client of the command line.')
param registerCommandLineClient bool = true

var useFederation = !empty(managedIdentityPrincipalId)
var useAppOnly = !empty(appOnlyGraphRoles)
var identifierUri = 'api://${tenant().tenantId}/${uniqueName}'
var issuer = federationIssuer(environment().name, environment().authentication.loginEndpoint, tenant().tenantId)
var preAuthorized = concat(preAuthorizedClientIds, registerCommandLineClient ? [commandLine!.appId] : [])

// One assignment for each role of each caller.
var callerRoles = flatten(map(
  applicationCallers,
  caller => map(caller.roles, role => { principalId: caller.principalId, roleId: roleIds[role] })
))

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: graphAppId
}

resource service 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  description: 'Issues delegated tokens to callers that must not hold a client secret.'
  signInAudience: 'AzureADMyOrg'
  identifierUris: [identifierUri]
  isFallbackPublicClient: false
  api: {
    requestedAccessTokenVersion: 2
    oauth2PermissionScopes: [
      {
        id: accessAsUser.id
        value: accessAsUser.value
        type: 'User'
        isEnabled: true
        adminConsentDisplayName: 'Get tokens through the service'
        adminConsentDescription: 'The application gets tokens through Graph Token Exchange on behalf of the signed-in user, within the limits of its policy.'
        userConsentDisplayName: 'Get tokens through the service'
        userConsentDescription: 'The application gets tokens through Graph Token Exchange on your behalf, within the limits of its policy.'
      }
    ]
    preAuthorizedApplications: map(preAuthorized, client => {
      appId: client
      delegatedPermissionIds: [accessAsUser.id]
    })
  }
  appRoles: appRoles
  optionalClaims: {
    accessToken: accessTokenClaims
  }
  requiredResourceAccess: [
    {
      resourceAppId: graphAppId
      resourceAccess: map(
        filter(graph.oauth2PermissionScopes, permission => contains(graphScopes, permission.value)),
        permission => { id: permission.id, type: 'Scope' }
      )
    }
  ]
  servicePrincipalLockConfiguration: servicePrincipalLock
  web: {
    homePageUrl: serviceUrl
    redirectUris: ['${serviceUrl}/oauth2/callback']
    implicitGrantSettings: {
      enableAccessTokenIssuance: false
      enableIdTokenIssuance: false
    }
  }
}

resource federation 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = if (useFederation) {
  name: '${service.uniqueName}/managed-identity'
  description: 'The managed identity of the service replaces a client secret.'
  audiences: [federationAudience(environment().name)]
  issuer: issuer
  subject: managedIdentityPrincipalId
}

resource servicePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: service.appId
  accountEnabled: true
  appRoleAssignmentRequired: true
}

resource consent 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = if (grantConsent) {
  clientId: servicePrincipal.id
  resourceId: graph.id
  consentType: 'AllPrincipals'
  scope: join(graphScopes, ' ')
}

resource callers 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for assignment in callerRoles: {
    principalId: assignment.principalId
    resourceId: servicePrincipal.id
    appRoleId: assignment.roleId
  }
]

resource people 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for principalId in assignedPrincipalIds: {
    principalId: principalId
    resourceId: servicePrincipal.id
    appRoleId: defaultAccess
  }
]

resource appOnly 'Microsoft.Graph/applications@v1.0' = if (useAppOnly) {
  uniqueName: '${uniqueName}-app-only'
  displayName: '${displayName} (application tokens)'
  description: 'Has only application permissions, for tokens of the application itself.'
  signInAudience: 'AzureADMyOrg'
  isFallbackPublicClient: false
  requiredResourceAccess: [
    {
      resourceAppId: graphAppId
      resourceAccess: map(
        filter(graph.appRoles, role => contains(appOnlyGraphRoles, role.value)),
        role => { id: role.id, type: 'Role' }
      )
    }
  ]
  servicePrincipalLockConfiguration: servicePrincipalLock
}

resource appOnlyFederation 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = if (useAppOnly && useFederation) {
  name: '${appOnly!.uniqueName}/managed-identity'
  description: 'The managed identity of the service replaces a client secret.'
  audiences: [federationAudience(environment().name)]
  issuer: issuer
  subject: managedIdentityPrincipalId
}

resource appOnlyPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = if (useAppOnly) {
  appId: appOnly!.appId
  accountEnabled: true
  appRoleAssignmentRequired: true
}

resource appOnlyConsent 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for role in appOnlyGraphRoles: if (grantConsent) {
    principalId: appOnlyPrincipal!.id
    resourceId: graph.id
    appRoleId: filter(graph.appRoles, known => known.value == role)[0].id
  }
]

resource commandLine 'Microsoft.Graph/applications@v1.0' = if (registerCommandLineClient) {
  uniqueName: '${uniqueName}-command-line'
  displayName: '${displayName} (command line)'
  description: 'Public client: people sign in with a browser and get a token for the service, not for Graph.'
  signInAudience: 'AzureADMyOrg'
  isFallbackPublicClient: true
  publicClient: {
    redirectUris: ['http://localhost']
  }
  servicePrincipalLockConfiguration: servicePrincipalLock
}

resource commandLinePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = if (registerCommandLineClient) {
  appId: commandLine!.appId
  accountEnabled: true
}

@description('Client id of the registration: CLIENT_ID.')
output clientId string = service.appId

@description('App ID URI of the registration: the parameter appIdUri of main.bicep and the setting APP_ID_URI.')
output appIdUri string = identifierUri

@description('The scope that callers request from Entra. Applications request `.default` under the same App ID URI.')
output scope string = '${identifierUri}/${accessAsUser.value}'

@description('Client id of the second registration: APP_ONLY_CLIENT_ID. Empty: no second registration.')
output appOnlyClientId string = useAppOnly ? appOnly!.appId : ''

@description('Client id of the command line. Empty: it is not registered.')
output commandLineClientId string = registerCommandLineClient ? commandLine!.appId : ''
