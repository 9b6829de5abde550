// Parameters of one tenant. Copy to <tenant>.bicepparam and change what differs; there is never a secret in here.
// The values below are examples: every GUID is made up.

using '../main.bicep'

param name = 'example'

param tags = {
  service: 'graph-token-exchange'
  owner: 'identity-team'
}

param clientId = '11111111-1111-4111-8111-111111111111'

param policy = {
  apis: {
    graph: {
      resource: 'https://graph.microsoft.com'
      scopes: ['User.Read', 'Mail.Read', 'Calendars.Read']
    }
  }
  callers: [
    {
      name: 'command-line'
      displayName: 'Command line'
      kind: 'user'
      clientId: '22222222-2222-4222-8222-222222222222'
      flows: ['on-behalf-of']
      apis: { graph: ['User.Read', 'Calendars.Read'] }
    }
    {
      name: 'monthly-report'
      displayName: 'Monthly report'
      kind: 'application'
      clientId: '33333333-3333-4333-8333-333333333333'
      flows: ['authorization-code', 'refresh-token']
      apis: { graph: ['Mail.Read'] }
      redirectUris: ['https://reports.example.com/callback']
      offlineAccess: true
      grantMaxDays: 30
      unattended: true
    }
  ]
}

param alertEmailAddresses = ['identity-team@example.com']
