/**
 * The ids of Microsoft Graph's permissions that the directory has. They are the same in every tenant.
 *
 * Source: https://learn.microsoft.com/graph/permissions-reference
 */
const IDS = {
  scope: {
    openid: "37f7f235-527c-4136-accd-4a02d197296e",
    profile: "14dad69e-099b-42c9-810b-d002981feec1",
    email: "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    offline_access: "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
    "User.Read.All": "a154be20-db9c-4678-8ab7-66f6cc099a59",
    "User.ReadBasic.All": "b340eb25-3456-403f-be2f-af7a0d370277",
    "Mail.Read": "570282fd-fa5c-430d-a7fd-fc8dc98a9dca",
    "Mail.Send": "e383f46e-2787-4529-855e-0e479a3ffac0",
    "Files.Read": "10465720-29dd-4523-a11a-6a75c743c9d9",
  },
  role: {
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
  },
} as const;

export function graphPermissionId(kind: keyof typeof IDS, name: string): string | undefined {
  const ids: Readonly<Record<string, string>> = IDS[kind];
  return ids[name];
}
