// The Entra part of the service: the registrations with their service principals and consent, one more registration for
// application tokens, and the public client of the command line. It creates no client secret: one managed identity is the
// credential of all registrations. `npm run registration -- <policy> --parameters <file>` writes the parameters
// `registrations` and `appOnlyApis`; `npm run connector` writes `powerPlatform`.
//
// This is a separate template because it needs other rights (an administrator of the tenant), because what-if does not
// support Graph resources, and because the Graph extension comes from a registry. It works only in the public cloud. For
// other clouds, and for administrators who prefer commands, see ../entra-by-hand.md.

extension microsoftGraphV1

targetScope = 'resourceGroup'

import {
  accessAsUser
  accessTokenClaims
  ApiPermissions
  ApplicationCaller
  appRoles
  azureApiConnections
  connectorScope
  defaultAccess
  federationAudience
  federationIssuer
  PowerPlatformConnector
  PowerPlatformConnectorOutput
  Registration
  RegistrationOutput
  roleIds
  servicePrincipalLock
  userRead
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

@description('The registrations, with the one of CLIENT_ID first. `npm run registration` writes this list from the policy. Default: one with User.Read of Microsoft Graph.')
@minLength(1)
param registrations Registration[] = [
  {
    apis: [
      {
        resourceAppId: '00000003-0000-0000-c000-000000000000'
        permissions: [
          { id: 'e1fe6dd8-ba31-4d61-89e7-88639da4683d', name: 'User.Read' }
          { id: '37f7f235-527c-4136-accd-4a02d197296e', name: 'openid' }
          { id: '14dad69e-099b-42c9-810b-d002981feec1', name: 'profile' }
          { id: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182', name: 'offline_access' }
        ]
      }
    ]
  }
]

@description('Application permissions of the registration for application tokens. Empty: no such registration.')
param appOnlyApis ApiPermissions[] = []

@description('Grant admin consent to all these permissions for all users of the tenant. Needs a Privileged Role Administrator.')
param grantConsent bool = true

@description('Applications that call the service with their own token, and their app roles, in addition to callerPrincipalIds of each registration.')
param applicationCallers ApplicationCaller[] = []

@description('Object ids of the groups and users that may use the registration of CLIENT_ID. Entra issues tokens for it only to them.')
param assignedPrincipalIds string[] = []

@description('The same for the other registrations, by name.')
param assignedPrincipalIdsByRegistration { *: string[] } = {}

@description('Register the public client of the command line.')
param registerCommandLineClient bool = true

@description('Power Platform connectors. Each gets a registration of its own: with the one of the service, Entra answers AADSTS90009. See connectors/power-platform/README.md.')
param powerPlatform PowerPlatformConnector[] = []

@description('Create applications and service principals only. Deploy first with true and then with false: in one deployment, Entra does not find yet what it has just created. `npm run deploy` does both.')
param onlyApplications bool = false

var useFederation = !empty(managedIdentityPrincipalId) && !onlyApplications
var useConsent = grantConsent && !onlyApplications
var useAppOnly = !empty(appOnlyApis)
var issuer = federationIssuer(environment().name, environment().authentication.loginEndpoint, tenant().tenantId)

var names = map(registrations, registration => registration.?name ?? '')
var uniqueNames = map(names, name => empty(name) ? uniqueName : '${uniqueName}.${name}')
var identifierUris = map(uniqueNames, unique => 'api://${tenant().tenantId}/${unique}')
var indexes = range(0, length(registrations))

// Every API once.
var resourceAppIds = union(
  flatten(map(registrations, registration => map(registration.apis, api => api.resourceAppId))),
  map(appOnlyApis, api => api.resourceAppId),
  empty(powerPlatform) ? [] : [userRead.resourceAppId]
)

// The registration of the service that each connector calls, and the client ids of the connectors by it (second run).
var connectorNames = map(powerPlatform, connector => '${uniqueName}-connector-${connector.name}')
var connectorTargets = map(powerPlatform, connector => indexOf(names, connector.?registration ?? ''))
var connectorClientIds = map(
  indexes,
  index =>
    map(
      filter(powerPlatform, connector => (connector.?registration ?? '') == names[index] && !empty(connector.?clientId)),
      connector => connector.clientId!
    )
)

// One consent for each registration and API.
var consents = flatten(map(
  indexes,
  index =>
    map(registrations[index].apis, api => {
      registration: index
      api: indexOf(resourceAppIds, api.resourceAppId)
      scope: join(map(api.permissions, permission => permission.name), ' ')
    })
))

// One assignment for each role of each caller.
var callerRoles = union(
  flatten(map(
    indexes,
    index =>
      map(registrations[index].?callerPrincipalIds ?? [], principalId => {
        registration: index
        principalId: principalId
        roleId: roleIds['Exchange.Call']
      })
  )),
  flatten(map(
    applicationCallers,
    caller =>
      map(caller.roles, role => {
        registration: indexOf(names, caller.?registration ?? '')
        principalId: caller.principalId
        roleId: roleIds[role]
      })
  ))
)

var assignments = flatten(map(
  indexes,
  index =>
    map(
      empty(names[index]) ? assignedPrincipalIds : assignedPrincipalIdsByRegistration[?names[index]] ?? [],
      principalId => { registration: index, principalId: principalId }
    )
))

var appOnlyRoles = flatten(map(
  appOnlyApis,
  api => map(api.permissions, permission => { api: indexOf(resourceAppIds, api.resourceAppId), roleId: permission.id })
))

resource apis 'Microsoft.Graph/servicePrincipals@v1.0' existing = [
  for appId in resourceAppIds: {
    appId: appId
  }
]

resource services 'Microsoft.Graph/applications@v1.0' = [
  for (registration, index) in registrations: {
    uniqueName: uniqueNames[index]
    displayName: empty(names[index]) ? displayName : '${displayName} (${names[index]})'
    description: 'Issues delegated tokens to callers that must not hold a client secret.'
    signInAudience: 'AzureADMyOrg'
    identifierUris: [identifierUris[index]]
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
      preAuthorizedApplications: map(
        union(
          registration.?preAuthorizedClientIds ?? [],
          connectorClientIds[index],
          registerCommandLineClient && empty(names[index]) ? [commandLine!.appId] : []
        ),
        client => {
          appId: client
          delegatedPermissionIds: [accessAsUser.id]
        }
      )
    }
    appRoles: appRoles
    optionalClaims: {
      accessToken: accessTokenClaims
    }
    requiredResourceAccess: map(registration.apis, api => {
      resourceAppId: api.resourceAppId
      resourceAccess: map(api.permissions, permission => { id: permission.id, type: 'Scope' })
    })
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
]

resource federations 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = [
  for (registration, index) in registrations: if (useFederation) {
    name: '${services[index].uniqueName}/managed-identity'
    description: 'The managed identity of the service replaces a client secret.'
    audiences: [federationAudience(environment().name)]
    issuer: issuer
    subject: managedIdentityPrincipalId
  }
]

resource servicePrincipals 'Microsoft.Graph/servicePrincipals@v1.0' = [
  for (registration, index) in registrations: {
    appId: services[index].appId
    accountEnabled: true
    appRoleAssignmentRequired: true
  }
]

resource consent 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = [
  for one in consents: if (useConsent) {
    clientId: servicePrincipals[one.registration].id
    resourceId: apis[one.api].id
    consentType: 'AllPrincipals'
    scope: one.scope
  }
]

resource callers 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for assignment in callerRoles: if (!onlyApplications) {
    principalId: assignment.principalId
    resourceId: servicePrincipals[assignment.registration].id
    appRoleId: assignment.roleId
  }
]

resource people 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for assignment in assignments: if (!onlyApplications) {
    principalId: assignment.principalId
    resourceId: servicePrincipals[assignment.registration].id
    appRoleId: defaultAccess
  }
]

resource appOnly 'Microsoft.Graph/applications@v1.0' = if (useAppOnly) {
  uniqueName: '${uniqueName}-app-only'
  displayName: '${displayName} (application tokens)'
  description: 'Has only application permissions, for tokens of the application itself.'
  signInAudience: 'AzureADMyOrg'
  isFallbackPublicClient: false
  requiredResourceAccess: map(appOnlyApis, api => {
    resourceAppId: api.resourceAppId
    resourceAccess: map(api.permissions, permission => { id: permission.id, type: 'Role' })
  })
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
  for role in appOnlyRoles: if (useConsent) {
    principalId: appOnlyPrincipal!.id
    resourceId: apis[role.api].id
    appRoleId: role.roleId
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

resource connectors 'Microsoft.Graph/applications@v1.0' = [
  for (connector, index) in powerPlatform: {
    uniqueName: connectorNames[index]
    displayName: '${displayName} (connector ${connector.name})'
    description: 'Signs people in to a Power Platform connector. It has no secret and no rights of its own.'
    signInAudience: 'AzureADMyOrg'
    identifierUris: ['api://${tenant().tenantId}/${connectorNames[index]}']
    isFallbackPublicClient: false
    api: {
      requestedAccessTokenVersion: 2
      oauth2PermissionScopes: [
        {
          id: connectorScope.id
          value: connectorScope.value
          type: 'User'
          isEnabled: true
          adminConsentDisplayName: 'Sign in to the connector'
          adminConsentDescription: 'Power Platform signs the person in to the connector.'
          userConsentDisplayName: 'Sign in to the connector'
          userConsentDescription: 'Power Platform signs you in to the connector.'
        }
      ]
      preAuthorizedApplications: [
        {
          appId: azureApiConnections
          delegatedPermissionIds: [connectorScope.id]
        }
      ]
    }
    requiredResourceAccess: [
      {
        resourceAppId: userRead.resourceAppId
        resourceAccess: [{ id: userRead.id, type: 'Scope' }]
      }
      {
        resourceAppId: services[connectorTargets[index]].appId
        resourceAccess: [{ id: accessAsUser.id, type: 'Scope' }]
      }
    ]
    servicePrincipalLockConfiguration: servicePrincipalLock
    web: {
      redirectUris: empty(connector.?redirectUri) ? [] : [connector.redirectUri!]
      implicitGrantSettings: {
        enableAccessTokenIssuance: false
        enableIdTokenIssuance: false
      }
    }
  }
]

resource connectorFederations 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = [
  for (connector, index) in powerPlatform: if (!onlyApplications && !empty(connector.?connectorIssuer) && !empty(connector.?connectorSubject)) {
    name: '${connectors[index].uniqueName}/power-platform'
    description: 'The managed identity of the connector replaces a client secret.'
    audiences: [federationAudience(environment().name)]
    issuer: connector.connectorIssuer!
    subject: connector.connectorSubject!
  }
]

// Who may use the service is decided at the service: its service principal requires an assignment.
resource connectorPrincipals 'Microsoft.Graph/servicePrincipals@v1.0' = [
  for (connector, index) in powerPlatform: {
    appId: connectors[index].appId
    accountEnabled: true
  }
]

resource connectorConsent 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = [
  for (connector, index) in powerPlatform: if (useConsent) {
    clientId: connectorPrincipals[index].id
    resourceId: servicePrincipals[connectorTargets[index]].id
    consentType: 'AllPrincipals'
    scope: accessAsUser.value
  }
]

resource connectorGraphConsent 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = [
  for (connector, index) in powerPlatform: if (useConsent) {
    clientId: connectorPrincipals[index].id
    resourceId: apis[indexOf(resourceAppIds, userRead.resourceAppId)].id
    consentType: 'AllPrincipals'
    scope: userRead.value
  }
]

@description('Client id of the first registration: CLIENT_ID.')
output clientId string = services[0].appId

@description('App ID URI of the first registration: the parameter appIdUri of main.bicep and the setting APP_ID_URI.')
output appIdUri string = identifierUris[0]

@description('The scope that callers request from Entra. Applications request `.default` under the same App ID URI.')
output scope string = '${identifierUris[0]}/${accessAsUser.value}'

@description('Name, client id and App ID URI of every registration, for `registrations` of the policy.')
output registrations RegistrationOutput[] = [
  for (name, index) in names: {
    name: name
    clientId: services[index].appId
    appIdUri: identifierUris[index]
  }
]

@description('Name and client id of each connector: for its policy entry, its files and the second run.')
output powerPlatformConnectors PowerPlatformConnectorOutput[] = [
  for (connector, index) in powerPlatform: {
    name: connector.name
    clientId: connectors[index].appId
  }
]

@description('Client id of the registration for application tokens: APP_ONLY_CLIENT_ID. Empty: there is none.')
output appOnlyClientId string = useAppOnly ? appOnly!.appId : ''

@description('Client id of the command line. Empty: it is not registered.')
output commandLineClientId string = registerCommandLineClient ? commandLine!.appId : ''
