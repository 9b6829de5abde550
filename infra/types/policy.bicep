// The policy of the service as a type, so that the compiler finds mistakes in a tenant's parameter file before deployment.
// It mirrors `shared/policy/rules.ts`. The service checks at start what a type cannot express, such as duplicate names and
// overlapping entries.

@export()
@description('An identifier issued by Entra: a GUID in its 36-character form.')
@minLength(36)
@maxLength(36)
type Guid = string

@export()
@description('Flows of a user caller. Passwords are not supported.')
type UserFlow = 'on-behalf-of' | 'refresh-token'

@export()
@description('Flows of an application caller.')
type ApplicationFlow = 'on-behalf-of' | 'refresh-token' | 'authorization-code' | 'client-credentials'

@export()
@description('A downstream API for which the service issues tokens.')
@sealed()
type Api = {
  @description('Resource URI, for example https://graph.microsoft.com, or the application id of an API without an App ID URI.')
  @maxLength(512)
  resource: string

  @description('All scopes that callers can get. Use `.default` only if it is intended.')
  @minLength(1)
  scopes: Scope[]

  @description('Content type in the header object. The default is application/json.')
  contentType: string?

  @description('Where the relay sends requests to this API: an https URL. Default: the host of the resource.')
  @maxLength(512)
  baseUrl: string?

  @description('Scope → what it allows, in words for people. Default: the words of Microsoft for Graph.')
  scopeDescriptions: ScopeDescriptions?
}

@export()
@description('What scopes allow, in words for people.')
type ScopeDescriptions = {
  @minLength(1)
  @maxLength(200)
  *: string
}

@export()
@description('An HTTP method that `/DownstreamApi` forwards.')
type RelayMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

@export()
@description('Rules for one API.')
@minLength(1)
type DownstreamRules = DownstreamRule[]

@export()
@description('One scope, without its resource.')
@maxLength(256)
type Scope = string

@export()
@description('Scopes of one API.')
@minLength(1)
type Scopes = Scope[]

@export()
@description('A redirect URI: https, or http on this machine.')
@maxLength(512)
type RedirectUri = string

@export()
@description('Requests that `/DownstreamApi` may send for a caller.')
@sealed()
type DownstreamRule = {
  @description('HTTP methods.')
  @minLength(1)
  methods: RelayMethod[]

  @description('Path pattern, for example /v1.0/me/messages/**: `*` is one segment, a last `**` one or more.')
  @minLength(2)
  @maxLength(512)
  path: string

  @description('Names of the query options that are allowed. Default: all.')
  query: string[]?
}

@export()
@description('How a client that cannot send an Entra token authenticates at the token endpoint.')
type ClientAuthentication = 'entra_secret' | 'entra_assertion' | 'ignored_with_subject'

@export()
@description('The vault entry of a registration: a secret or a certificate.')
@sealed()
type RegistrationCredential = {
  @minLength(1)
  @maxLength(127)
  secretName: string?

  @minLength(1)
  @maxLength(127)
  certificateName: string?
}

@export()
@description('A further app registration of this deployment.')
@sealed()
type Registration = {
  @description('Client id of the registration.')
  clientId: Guid

  @description('App ID URI. Default: api://<clientId>.')
  @maxLength(255)
  appIdUri: string?

  @description('Not set with a managed identity, which is the federated credential of all registrations.')
  credential: RegistrationCredential?
}

@export()
@description('Limits of a caller.')
@sealed()
type CallerLimits = {
  @description('Requests per minute and user that may bypass the token cache (claims, forced refresh).')
  @minValue(1)
  @maxValue(1000)
  bypassPerMinute: int?

  @description('Requests per minute, user and API that the token cache cannot answer.')
  @minValue(1)
  @maxValue(10000)
  missesPerMinute: int?

  @description('Requests of one client, or of all agents of the blueprint, that one instance works on or keeps waiting at once.')
  @minValue(1)
  @maxValue(1000)
  requestsAtOnce: int?

  @description('Requests of one client, or of all agents of the blueprint, per minute, on all instances. Not set: no limit.')
  @minValue(1)
  @maxValue(1000000)
  requestsPerMinute: int?
}

@export()
@description('A user through a client application (user token).')
@sealed()
type UserCaller = {
  @description('Unique name of the entry in responses and audit events.')
  @minLength(1)
  @maxLength(64)
  name: string

  @description('Name on the pages of the service.')
  @minLength(1)
  @maxLength(120)
  displayName: string?

  @description('Why the application asks. Pages show it to people.')
  @minLength(1)
  @maxLength(300)
  purpose: string?

  kind: 'user'

  @description('Client id of the application that the user uses. Exactly one of this and `blueprint`.')
  clientId: Guid?

  @description('Client id of an agent identity blueprint: the entry matches its agents.')
  blueprint: Guid?

  @description('Name in `registrations`. Default: the registration of CLIENT_ID.')
  registration: string?

  @description('App role that the token must also contain.')
  @minLength(1)
  @maxLength(120)
  role: string?

  @description('Refuse tokens that were issued to a public client, because anyone can impersonate a public client.')
  requireConfidentialClient: bool?

  @description('Flows that this caller may use.')
  @minLength(1)
  flows: UserFlow[]

  @description('Scopes by name of the API.')
  apis: { *: Scopes }

  @description('May create a grant (offline_access). Requires the flow refresh-token.')
  offlineAccess: bool?

  @description('Lifetime of a grant in days.')
  @minValue(1)
  @maxValue(365)
  grantMaxDays: int?

  @description('Grants of one person for this caller at a time. Default: 20.')
  @minValue(1)
  @maxValue(1000)
  maxGrantsPerUser: int?

  @description('UTC. Grants that were allowed until then are refused, for example 2027-01-31T12:00:00Z.')
  grantsNotBefore: string?

  @description('`none`: the caller uses APIs through `/DownstreamApi` and never gets a token.')
  release: ('token' | 'none')?

  @description('Requests that `/DownstreamApi` may send for this caller, by name of the API.')
  downstream: { *: DownstreamRules }?

  @description('How this caller may authenticate without an Entra token.')
  clientAuthentication: ClientAuthentication[]?

  @description('Issue a token even if Entra put more scopes into it than this entry lists.')
  acceptSurplus: bool?

  @description('Request tokens that Entra can revoke before they expire (continuous access evaluation).')
  cae: bool?

  @description('Accept a refresh token of Entra and return a grant. Requires the flow refresh-token.')
  importRefreshTokens: bool?

  limits: CallerLimits?
}

@export()
@description('An application with its own token and the app role Exchange.Call, for example a Power Automate flow.')
@sealed()
type ApplicationCaller = {
  @description('Unique name of the entry in responses and audit events.')
  @minLength(1)
  @maxLength(64)
  name: string

  @description('Name on the pages of the service.')
  @minLength(1)
  @maxLength(120)
  displayName: string?

  @description('Why the application asks. Pages show it to people.')
  @minLength(1)
  @maxLength(300)
  purpose: string?

  kind: 'application'

  @description('Client id of the application. Exactly one of this and `blueprint`.')
  clientId: Guid?

  @description('Client id of an agent identity blueprint: the entry matches its agents.')
  blueprint: Guid?

  @description('Name in `registrations`. Default: the registration of CLIENT_ID.')
  registration: string?

  @description('App role that the token must also contain.')
  @minLength(1)
  @maxLength(120)
  role: string?

  @description('Refuse tokens that were issued to a public client, because anyone can impersonate a public client.')
  requireConfidentialClient: bool?

  @description('Flows that this caller may use.')
  @minLength(1)
  flows: ApplicationFlow[]

  @description('Scopes by name of the API.')
  apis: { *: Scopes }

  @description('May create a grant (offline_access). Requires the flow refresh-token.')
  offlineAccess: bool?

  @description('Lifetime of a grant in days.')
  @minValue(1)
  @maxValue(365)
  grantMaxDays: int?

  @description('Grants of one person for this caller at a time. Default: 20.')
  @minValue(1)
  @maxValue(1000)
  maxGrantsPerUser: int?

  @description('Idle days after which the service redeems a grant itself, so that Entra does not end it. Requires offlineAccess.')
  @minValue(1)
  @maxValue(60)
  keepAliveDays: int?

  @description('UTC. Grants that were allowed until then are refused, for example 2027-01-31T12:00:00Z.')
  grantsNotBefore: string?

  @description('May redeem a grant while its user is not signed in.')
  unattended: bool?

  @description('Make sign-in links without expectedUser and codeChallenge, so that any person of the tenant may allow the grant.')
  anyPersonMayAllow: bool?

  @description('Lifetime in minutes of a sign-in link that names its person. Default: 10.')
  @minValue(1)
  @maxValue(1440)
  linkMinutes: int?

  @description('Client ids of the user tokens that this application may present. Default: its own client id.')
  subjectClients: Guid[]?

  @description('Show the confirmation page before every authorization code.')
  requireConfirmation: bool?

  @description('Redirect URIs (https) of the flow authorization-code. Required with this flow and not allowed without it.')
  redirectUris: RedirectUri[]?

  @description('`none`: the caller uses APIs through `/DownstreamApi` and never gets a token.')
  release: ('token' | 'none')?

  @description('Requests that `/DownstreamApi` may send for this caller, by name of the API.')
  downstream: { *: DownstreamRules }?

  @description('How this caller may authenticate without an Entra token.')
  clientAuthentication: ClientAuthentication[]?

  @description('Issue a token even if Entra put more scopes into it than this entry lists.')
  acceptSurplus: bool?

  @description('Request tokens that Entra can revoke before they expire (continuous access evaluation).')
  cae: bool?

  @description('Accept a refresh token of Entra and return a grant. Requires the flow refresh-token.')
  importRefreshTokens: bool?

  limits: CallerLimits?
}

@export()
@description('A caller. At most one entry may match a token.')
@discriminator('kind')
type Caller = UserCaller | ApplicationCaller

@export()
@description('Which caller may use which flow for which API and scopes. Everything else is refused.')
@sealed()
type Policy = {
  @description('APIs by name, usually with `graph`.')
  apis: { *: Api }

  @description('Further app registrations by name.')
  registrations: { *: Registration }?

  @description('As in an entry, for the grants of every entry.')
  grantsNotBefore: string?

  callers: Caller[]
}
