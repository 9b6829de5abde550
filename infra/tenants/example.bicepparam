// Parameters of one tenant. Copy this file to <tenant>.bicepparam and change the values. It must never contain a secret.
// All values are examples, and all GUIDs are invented.

using '../main.bicep'

param name = 'example'

// `npm run deploy` makes the resource group here. The region must offer Flex Consumption.
param location = 'westeurope'

param tags = {
  service: 'graph-token-exchange'
  owner: 'identity-team'
}

// `npm run deploy` replaces this invented client id by the one that it registers.
param clientId = '11111111-1111-4111-8111-111111111111'

// The App ID URI of the registration, without the scope. The default is the App ID URI that entra.bicep registers. If you
// deployed entra.bicep with another `uniqueName`, set 'api://<tenant id>/<uniqueName>'.
// param appIdUri = 'api://00000000-0000-0000-0000-000000000000/graph-token-exchange-mail'

// All callers that get tokens of one registration have the same scopes. Entra puts every consented scope of the
// registration into each token, even if fewer scopes are requested, and the service would refuse a caller with fewer scopes
// (scope_surplus). Such a caller uses the API without a token (`release: 'none'`), or gets a separate registration in
// `registrations`: docs/deploy.md, "Tiers". `npm run registration` finds the ids of all permissions.
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
