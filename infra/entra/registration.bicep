// The parts of the registrations that do not need the Microsoft Graph extension: types, names, ids, roles, claims. They
// are in a separate file so that a compiler without access to the extension can check them.

import { Guid } from '../types/policy.bicep'

@export()
@description('A permission of an API: `npm run registration` finds the id by the name.')
@sealed()
type Permission = {
  id: Guid

  @minLength(1)
  name: string
}

@export()
@description('The permissions that a registration has on one API.')
@sealed()
type ApiPermissions = {
  @description('Application id of the API.')
  resourceAppId: Guid

  @minLength(1)
  permissions: Permission[]
}

@export()
@description('An app registration whose rights the service exchanges.')
@sealed()
type Registration = {
  @description('Name in `registrations` of the policy. Not set: the registration of CLIENT_ID.')
  @minLength(1)
  @maxLength(64)
  name: string?

  @description('Delegated permissions. Every delegated token of this registration carries all of them for its API.')
  apis: ApiPermissions[]

  @description('Client ids of the applications whose users do not have to consent to access_as_user.')
  preAuthorizedClientIds: Guid[]?

  @description('Object ids of the service principals that get the app role Exchange.Call.')
  callerPrincipalIds: Guid[]?
}

@export()
@description('What the policy needs to know about a registration.')
@sealed()
type RegistrationOutput = {
  @description('Name in `registrations` of the policy. Empty: the registration of CLIENT_ID.')
  name: string

  clientId: string
  appIdUri: string
}

@export()
@description('The only delegated permission of the service. Every user token for the service contains it.')
var accessAsUser = {
  id: '9d2f3a50-6a0e-4b38-8d6e-0b6d6f0c6a11'
  value: 'access_as_user'
}

@export()
@description('The default access role, which allows users and groups to use the application and grants nothing more.')
var defaultAccess = '00000000-0000-0000-0000-000000000000'

@export()
@description('App roles of the service.')
type RoleName = 'Exchange.Call' | 'Grant.Admin' | 'Grant.Create' | 'Policy.Explain'

@export()
@description('Ids of the app roles by name. They are fixed, so that documents and scripts can refer to them.')
var roleIds = {
  'Exchange.Call': '1f0d4c1e-5c0b-4d0f-9a52-7f6f0a1b2c31'
  'Grant.Admin': '1f0d4c1e-5c0b-4d0f-9a52-7f6f0a1b2c34'
  'Grant.Create': '1f0d4c1e-5c0b-4d0f-9a52-7f6f0a1b2c32'
  'Policy.Explain': '1f0d4c1e-5c0b-4d0f-9a52-7f6f0a1b2c33'
}

@export()
@description('The app roles of the registration.')
var appRoles = [
  {
    id: roleIds['Exchange.Call']
    value: 'Exchange.Call'
    displayName: 'Call the token exchange'
    description: 'The application may call the service with its own token. The policy decides which tokens it gets.'
    allowedMemberTypes: ['Application']
    isEnabled: true
  }
  {
    id: roleIds['Grant.Create']
    value: 'Grant.Create'
    displayName: 'Request grants from people'
    description: 'May create sign-in links, with which a person creates a grant for a caller.'
    allowedMemberTypes: ['Application', 'User']
    isEnabled: true
  }
  {
    id: roleIds['Policy.Explain']
    value: 'Policy.Explain'
    displayName: 'Explain the policy'
    description: 'May request the policy decision for a caller with the deciding rule, and read details of readiness.'
    allowedMemberTypes: ['Application', 'User']
    isEnabled: true
  }
  {
    id: roleIds['Grant.Admin']
    value: 'Grant.Admin'
    displayName: 'Administer grants'
    description: 'May list the grants of every person and caller, and revoke them.'
    allowedMemberTypes: ['Application', 'User']
    isEnabled: true
  }
]

@export()
@description('A Power Platform connector with managed identity and on-behalf-of login. Its issuer, subject and redirect URI exist only after its first save, so the template is deployed twice: first with the name alone (PP-6).')
@sealed()
type PowerPlatformConnector = {
  @description('Key of its registration. Do not change it later.')
  @minLength(1)
  @maxLength(40)
  name: string

  @description('Name of the registration of the service that it calls. Not set: the registration of CLIENT_ID.')
  registration: string?

  @description('Second run: its client id, from the output powerPlatformConnectors.')
  clientId: Guid?

  @description('Second run: the issuer that the connector shows.')
  connectorIssuer: string?

  @description('Second run: the subject that the connector shows.')
  connectorSubject: string?

  @description('Second run: the redirect URI that the connector shows.')
  redirectUri: string?
}

@export()
@description('Name and client id of a connector.')
@sealed()
type PowerPlatformConnectorOutput = {
  name: string
  clientId: string
}

@export()
@description('The scope of a connector: Power Platform requests it before it exchanges the token for one of the service.')
var connectorScope = {
  id: '9d2f3a50-6a0e-4b38-8d6e-0b6d6f0c6a12'
  value: 'access_as_user'
}

@export()
@description('Azure API Connections: the application of Microsoft that signs people in to connectors (PP-7). The id is the same in every tenant.')
var azureApiConnections = 'fe053c5f-3692-4f14-aef2-ee34fc081cae'

@export()
@description('User.Read of Microsoft Graph. An application that requests a token for itself needs it (AADSTS90008, PP-5).')
var userRead = {
  resourceAppId: '00000003-0000-0000-c000-000000000000'
  id: 'e1fe6dd8-ba31-4d61-89e7-88639da4683d'
  value: 'User.Read'
}

@export()
@description('Optional claims that the service checks: token type, client capabilities, guest.')
var accessTokenClaims = [
  {
    name: 'idtyp'
    essential: false
    additionalProperties: ['include_user_token']
  }
  {
    name: 'xms_cc'
    essential: false
  }
  {
    name: 'acct'
    essential: false
  }
]

@export()
@description('Locks the service principal: credentials can be changed only on the registration.')
var servicePrincipalLock = {
  isEnabled: true
  allProperties: true
}

@export()
@description('Audience of a managed identity\'s token that replaces a client secret, by Azure environment.')
func federationAudience(environmentName string) string =>
  environmentName == 'AzureUSGovernment'
    ? 'api://AzureADTokenExchangeUSGov'
    : environmentName == 'AzureChinaCloud' ? 'api://AzureADTokenExchangeChina' : 'api://AzureADTokenExchange'

@export()
@description('Issuer of a managed identity\'s token. In China it differs from the login endpoint of Azure (login.chinacloudapi.cn).')
func federationIssuer(environmentName string, loginEndpoint string, tenantId string) string =>
  environmentName == 'AzureChinaCloud'
    ? 'https://login.partner.microsoftonline.cn/${tenantId}/v2.0'
    : '${loginEndpoint}${tenantId}/v2.0'

@export()
@description('An application that calls the service with its own token.')
@sealed()
type ApplicationCaller = {
  @description('Object id of its service principal, not of its registration.')
  @minLength(36)
  @maxLength(36)
  principalId: string

  @description('Name of the registration. Not set: the registration of CLIENT_ID.')
  registration: string?

  @description('Its app roles.')
  @minLength(1)
  roles: RoleName[]
}
