// The parts of the registrations that need no Microsoft Graph: names, ids, roles, claims. Apart from entra.bicep, so
// that a compiler without access to the Graph extension can still check them.

@export()
@description('Application id of Microsoft Graph, the same in every tenant and cloud.')
var graphAppId = '00000003-0000-0000-c000-000000000000'

@export()
@description('The one delegated permission of the service. Every user token that it serves carries it.')
var accessAsUser = {
  id: '9d2f3a50-6a0e-4b38-8d6e-0b6d6f0c6a11'
  value: 'access_as_user'
}

@export()
@description('Says "may use the application" and nothing more, for people and groups.')
var defaultAccess = '00000000-0000-0000-0000-000000000000'

@export()
@description('App roles of the service.')
type RoleName = 'Exchange.Call' | 'Grant.Create' | 'Policy.Explain'

@export()
@description('Ids of the app roles by name. Fixed, so that documents and scripts can name them.')
var roleIds = {
  'Exchange.Call': '1f0d4c1e-5c0b-4d0f-9a52-7f6f0a1b2c31'
  'Grant.Create': '1f0d4c1e-5c0b-4d0f-9a52-7f6f0a1b2c32'
  'Policy.Explain': '1f0d4c1e-5c0b-4d0f-9a52-7f6f0a1b2c33'
}

@export()
@description('The app roles as the registration declares them.')
var appRoles = [
  {
    id: roleIds['Exchange.Call']
    value: 'Exchange.Call'
    displayName: 'Call the token exchange'
    description: 'The application may call the service with its own token. What it gets is decided by policy.'
    allowedMemberTypes: ['Application']
    isEnabled: true
  }
  {
    id: roleIds['Grant.Create']
    value: 'Grant.Create'
    displayName: 'Ask people for grants'
    description: 'May make sign-in links with which a person leaves a grant for a caller.'
    allowedMemberTypes: ['Application', 'User']
    isEnabled: true
  }
  {
    id: roleIds['Policy.Explain']
    value: 'Policy.Explain'
    displayName: 'Ask why'
    description: 'May ask what a caller would get and which rule says so, and read details of readiness.'
    allowedMemberTypes: ['Application', 'User']
    isEnabled: true
  }
]

@export()
@description('Claims that the service checks and Entra leaves out unless asked: token kind, client capabilities, guest.')
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
@description('Nobody changes credentials on the service principal in place of the registration.')
var servicePrincipalLock = {
  isEnabled: true
  allProperties: true
}

@export()
@description('Audience of a managed identity\'s token when it stands in for a client secret, by Azure environment.')
func federationAudience(environmentName string) string =>
  environmentName == 'AzureUSGovernment'
    ? 'api://AzureADTokenExchangeUSGov'
    : environmentName == 'AzureChinaCloud' ? 'api://AzureADTokenExchangeChina' : 'api://AzureADTokenExchange'

@export()
@description('Issuer of a managed identity\'s token. In China tokens name another address than the one that Azure gives for signing in (login.chinacloudapi.cn).')
func federationIssuer(environmentName string, loginEndpoint string, tenantId string) string =>
  environmentName == 'AzureChinaCloud'
    ? 'https://login.partner.microsoftonline.cn/${tenantId}/v2.0'
    : '${loginEndpoint}${tenantId}/v2.0'

@export()
@description('An application that calls the service with its own token.')
@sealed()
type ApplicationCaller = {
  @description('Object id of its service principal (not of the registration).')
  @minLength(36)
  @maxLength(36)
  principalId: string

  @description('Its app roles.')
  @minLength(1)
  roles: RoleName[]
}
