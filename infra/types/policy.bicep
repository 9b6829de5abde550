// The policy of the service as a type, so that a mistake in a tenant's parameter file is found by the compiler and
// not by a service that refuses to start. Mirrors `shared/policy/rules.ts`; what no type can say (names that repeat,
// rules that overlap) is still checked when the service starts.

@export()
@description('An identifier issued by Entra: a GUID in its 36-character form.')
@minLength(36)
@maxLength(36)
type Guid = string

@export()
@description('Ways for a person to get a token. A password is never one of them.')
type UserFlow = 'on-behalf-of' | 'refresh-token'

@export()
@description('Ways to get a token that an application caller may use.')
type ApplicationFlow = 'on-behalf-of' | 'refresh-token' | 'authorization-code' | 'client-credentials'

@export()
@description('A downstream API whose tokens may be handed out.')
@sealed()
type Api = {
  @description('Resource URI, for example https://graph.microsoft.com.')
  @maxLength(512)
  resource: string

  @description('Every scope that any caller may be given. `.default` only where it is really meant.')
  @minLength(1)
  scopes: string[]

  @description('Content type in the header payload. The service assumes application/json.')
  contentType: string?
}

@export()
@description('Requests that `/DownstreamApi` may make for a caller.')
@sealed()
type DownstreamRule = {
  @description('HTTP methods.')
  @minLength(1)
  methods: ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[]

  @description('Start of the path, for example /v1.0/me.')
  @minLength(1)
  pathPrefix: string
}

@export()
@description('Budgets of a caller.')
@sealed()
type CallerLimits = {
  @description('Requests per minute and user that may pass the token cache by (claims, forced refresh).')
  @minValue(1)
  @maxValue(1000)
  bypassPerMinute: int?
}

@export()
@description('A person through a client application: tokens with scopes.')
@sealed()
type UserCaller = {
  @description('Name of the entry in answers and in the audit event. Unique.')
  @minLength(1)
  @maxLength(64)
  name: string

  @description('Name shown to people on pages.')
  @minLength(1)
  @maxLength(120)
  displayName: string?

  kind: 'user'

  @description('Client id of the application that the person uses.')
  clientId: Guid

  @description('App role that the token must carry as well.')
  @maxLength(120)
  role: string?

  @description('Refuse tokens that a public client got, which anyone can pretend to be.')
  requireConfidentialClient: bool?

  @description('Ways this caller may get a token.')
  @minLength(1)
  flows: UserFlow[]

  @description('Scopes by name of the API.')
  apis: { *: string[] }

  @description('May keep a grant (offline_access). Needs the flow refresh-token.')
  offlineAccess: bool?

  @description('Life of a grant, days.')
  @minValue(1)
  @maxValue(365)
  grantMaxDays: int?

  @description('What `/DownstreamApi` may do for this caller. Empty: nothing.')
  downstream: DownstreamRule[]?

  @description('Hand a token out although Entra put more scopes into it than this entry lists.')
  acceptSurplus: bool?

  @description('Ask Entra for tokens that can be revoked before they end (continuous access evaluation).')
  cae: bool?

  @description('Accept a refresh token of Entra and answer with a grant. Needs the flow refresh-token.')
  importRefreshTokens: bool?

  limits: CallerLimits?
}

@export()
@description('An application with its own token (app role Exchange.Call), for example a Power Automate flow.')
@sealed()
type ApplicationCaller = {
  @description('Name of the entry in answers and in the audit event. Unique.')
  @minLength(1)
  @maxLength(64)
  name: string

  @description('Name shown to people on pages.')
  @minLength(1)
  @maxLength(120)
  displayName: string?

  kind: 'application'

  @description('Client id of the application.')
  clientId: Guid

  @description('App role that the token must carry as well.')
  @maxLength(120)
  role: string?

  @description('Refuse tokens that a public client got, which anyone can pretend to be.')
  requireConfidentialClient: bool?

  @description('Ways this caller may get a token.')
  @minLength(1)
  flows: ApplicationFlow[]

  @description('Scopes by name of the API.')
  apis: { *: string[] }

  @description('May keep a grant (offline_access). Needs the flow refresh-token.')
  offlineAccess: bool?

  @description('Life of a grant, days.')
  @minValue(1)
  @maxValue(365)
  grantMaxDays: int?

  @description('May redeem a person\'s grant while the person is away.')
  unattended: bool?

  @description('Client ids whose user tokens this application may present. Default: its own.')
  subjectClients: Guid[]?

  @description('Where a browser may be sent back to after sign-in: https. Exactly with the flow authorization-code.')
  redirectUris: string[]?

  @description('What `/DownstreamApi` may do for this caller. Empty: nothing.')
  downstream: DownstreamRule[]?

  @description('Hand a token out although Entra put more scopes into it than this entry lists.')
  acceptSurplus: bool?

  @description('Ask Entra for tokens that can be revoked before they end (continuous access evaluation).')
  cae: bool?

  @description('Accept a refresh token of Entra and answer with a grant. Needs the flow refresh-token.')
  importRefreshTokens: bool?

  limits: CallerLimits?
}

@export()
@description('Who may call. At most one entry can match a caller.')
@discriminator('kind')
type Caller = UserCaller | ApplicationCaller

@export()
@description('Which caller may use which flow for which API and scopes. What is not written is refused.')
@sealed()
type Policy = {
  @description('APIs by name; `graph` is the usual first one.')
  apis: { *: Api }

  callers: Caller[]
}
