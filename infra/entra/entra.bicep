// The Entra side of the service: the registration whose rights are exchanged, its service principal and consent, the
// second registration for application tokens, and the public client of the command line. No password is made: the
// managed identity is the credential.
//
// A template of its own because it needs other rights (an administrator of the tenant), because what-if does not know
// Graph resources, and because the Graph extension comes from a registry. It works in the public cloud only; elsewhere,
// and where an administrator prefers commands: ../entra-by-hand.md.

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

@description('Name of the registrations, for people.')
param displayName string = 'Graph Token Exchange'

@description('Key of the registrations in this tenant. It never changes; a second deployment needs another one.')
@minLength(3)
@maxLength(60)
param uniqueName string = 'graph-token-exchange'

@description('Address of the service, https, no path, no slash at the end: SERVICE_URL.')
@minLength(10)
param serviceUrl string

@description('Object id of the managed identity (modules/identity.bicep, output principalId). Empty: no federated credential.')
param managedIdentityPrincipalId string = ''

@description('Delegated permissions of Microsoft Graph that the service may exchange for. Every token carries all of them: separate tiers are separate deployments.')
param graphScopes string[] = ['User.Read', 'offline_access', 'openid', 'profile']

@description('Consent to these permissions for everybody in the tenant. Needs a Privileged Role Administrator.')
param grantConsent bool = true

@description('Client ids of applications whose users need not consent to access_as_user.')
param preAuthorizedClientIds string[] = []

@description('Applications that call with their own token, and their roles.')
param applicationCallers ApplicationCaller[] = []

@description('Object ids of the groups and people who may use the service. Nobody else can get a token for it.')
param assignedPrincipalIds string[] = []

@description('Application permissions of Microsoft Graph for the second registration. Empty: there is none.')
param appOnlyGraphRoles string[] = []

@description('Register the public client that people sign in with at a command line.')
param registerCommandLineClient bool = true

var useFederation = !empty(managedIdentityPrincipalId)
var useAppOnly = !empty(appOnlyGraphRoles)
var identifierUri = 'api://${tenant().tenantId}/${uniqueName}'
var issuer = federationIssuer(environment().name, environment().authentication.loginEndpoint, tenant().tenantId)
var preAuthorized = concat(preAuthorizedClientIds, registerCommandLineClient ? [commandLine!.appId] : [])

// Callers with several roles as one assignment for each.
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
  description: 'Hands delegated tokens to callers that must not hold a client secret.'
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
        adminConsentDescription: 'The application gets tokens through Graph Token Exchange in the name of the signed-in user, as far as its policy allows.'
        userConsentDisplayName: 'Get tokens through the service'
        userConsentDescription: 'The application gets tokens through Graph Token Exchange in your name, as far as its policy allows.'
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
  description: 'The managed identity of the service stands in for a client secret.'
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
  description: 'Holds application permissions only, for tokens of the application itself.'
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
  description: 'The managed identity of the service stands in for a client secret.'
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
  description: 'Public client: people sign in with a browser and get a token for the service, never for Graph.'
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

@description('App ID URI of the registration: parameter appIdUri of main.bicep, setting APP_ID_URI.')
output appIdUri string = identifierUri

@description('What a caller asks Entra for: this scope, or `.default` under the same address.')
output scope string = '${identifierUri}/${accessAsUser.value}'

@description('Client id of the second registration: APP_ONLY_CLIENT_ID. Empty: there is none.')
output appOnlyClientId string = useAppOnly ? appOnly!.appId : ''

@description('Client id of the command line. Empty: there is none.')
output commandLineClientId string = registerCommandLineClient ? commandLine!.appId : ''
