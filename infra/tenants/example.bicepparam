// Parameters of one tenant. Copy to <tenant>.bicepparam and change what differs; there is never a secret in here.
// The values below are examples: every GUID is made up.

using '../main.bicep'

param name = 'example'

param tags = {
  service: 'graph-token-exchange'
  owner: 'identity-team'
}

param clientId = '11111111-1111-4111-8111-111111111111'

// The App ID URI of the registration, without the scope: left to its default here, which is what entra.bicep registers.
// A deployment with a `uniqueName` of its own names it: 'api://<tenant id>/<uniqueName>'.
// param appIdUri = 'api://00000000-0000-0000-0000-000000000000/graph-token-exchange-mail'

// Every caller has the same list. Entra puts all that was consented for the registration into each token, whatever was
// asked, so a caller with a shorter list would be refused each time (scope_surplus). Who must have less gets a deployment
// and a registration of its own: docs/deploy.md, "One deployment per tier". The list is `graphScopes` of entra.bicep
// without openid, profile and offline_access.
var graphScopes = ['User.Read', 'Mail.Read']

param policy = {
  apis: {
    graph: {
      resource: 'https://graph.microsoft.com'
      scopes: graphScopes
    }
  }
  callers: [
    {
      name: 'command-line'
      displayName: 'Command line'
      kind: 'user'
      clientId: '22222222-2222-4222-8222-222222222222'
      flows: ['on-behalf-of']
      apis: { graph: graphScopes }
    }
    {
      name: 'monthly-report'
      displayName: 'Monthly report'
      kind: 'application'
      clientId: '33333333-3333-4333-8333-333333333333'
      flows: ['authorization-code', 'refresh-token']
      apis: { graph: graphScopes }
      redirectUris: ['https://reports.example.com/callback']
      offlineAccess: true
      grantMaxDays: 30
      unattended: true
    }
  ]
}

param alertEmailAddresses = ['identity-team@example.com']
