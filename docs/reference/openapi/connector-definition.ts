/**
 * Writes connectors/power-platform/apiDefinition.swagger.json: the part of the description that makers use, as OpenAPI 2.0.
 * Power Platform imports nothing newer, and Copilot Studio breaks on `$ref` and arrays, so this has neither. Pure.
 *
 * Source: https://learn.microsoft.com/connectors/custom-connectors/openapi-extensions
 */
import type { Part, Parts } from "./schema.ts";

interface Action {
  readonly id: string;
  readonly path: string;
  readonly method: string;
  readonly summary: string;
  readonly description: string;
  readonly parameters: readonly string[];
  readonly response: Part;
}

interface Title {
  readonly title: string;
  readonly more?: Part;
}

/** `npm run connector -- fill` replaces it. */
export const EXAMPLE_HOST = "your-service.example";

/** Without blanks: the connector's name and its redirect URI are made of the title. */
const TITLE = "GraphTokenExchange";

export function connectorDefinition(api: Part): Part {
  const { version } = api["info"] as { readonly version: string };
  return {
    swagger: "2.0",
    info: {
      title: TITLE,
      description:
        "Calls Microsoft Graph and other APIs as the signed-in person, within the limits that the administrator's policy sets. No secret and no token in the flow.",
      version,
    },
    host: EXAMPLE_HOST,
    basePath: "/",
    schemes: ["https"],
    consumes: ["application/json"],
    produces: ["application/json"],
    paths: Object.fromEntries(
      actions(api).map((action) => [action.path, { [action.method]: toOperation(api, action) }]),
    ),
    securityDefinitions: {
      entra: {
        type: "oauth2",
        flow: "accessCode",
        authorizationUrl: "https://login.microsoftonline.com/common/oauth2/authorize",
        tokenUrl: "https://login.microsoftonline.com/common/oauth2/token",
        scopes: { access_as_user: "Act for the signed-in person" },
      },
    },
    security: [{ entra: ["access_as_user"] }],
  };
}

// ---------------------------------------------------------------------------------------------------------------

function actions(api: Part): readonly Action[] {
  return [
    {
      id: "CallApi",
      path: "/DownstreamApi/{api}",
      method: "post",
      summary: "Call the API",
      description: "Sends a request to the API as the signed-in person and returns its answer. The flow gets no token.",
      parameters: [
        "api",
        "optionsOverride.HttpMethod",
        "optionsOverride.RelativePath",
        "optionsOverride.AcceptHeader",
        BODY,
      ],
      response: { description: "The answer of the API.", schema: { type: "object" } },
    },
    {
      id: "GetHeader",
      path: "/AuthorizationHeader/{api}",
      method: "get",
      summary: "Get header",
      description: "Returns a header object with a token. Only for callers whose policy entry releases tokens.",
      parameters: ["api"],
      response: {
        description: "The header object.",
        schema: withoutLists(schemaOf(api, "HeaderObject"), HEADER_TITLES),
      },
    },
  ];
}

const BODY = "body";

const TITLES: Readonly<Record<string, Title>> = {
  api: { title: "API", more: { default: "graph", "x-ms-url-encoding": "single" } },
  "optionsOverride.HttpMethod": { title: "Method", more: { required: true } },
  "optionsOverride.RelativePath": { title: "Path" },
  "optionsOverride.AcceptHeader": { title: "Accept", more: { "x-ms-visibility": "advanced" } },
};

const HEADER_TITLES: Readonly<Record<string, string>> = {
  authorizationHeader: "Authorization header",
  headers: "Headers",
  Authorization: "Authorization",
  "Content-Type": "Content type",
  tokenType: "Token type",
  expiresOn: "Expires on",
  expiresIn: "Expires in",
};

const PROBLEM_TITLES: Readonly<Record<string, string>> = {
  title: "Title",
  status: "Status",
  detail: "Detail",
  code: "Code",
  action: "Action",
  signin_url: "Sign-in link",
  correlation_id: "Correlation id",
};

function toOperation(api: Part, { id, path, method, summary, description, parameters, response }: Action): Part {
  const described = (api["paths"] as Readonly<Record<string, Parts>>)[path]?.[method] ?? {};
  return {
    operationId: id,
    summary,
    description,
    "x-ms-visibility": "important",
    parameters: parameters.map((name) => (name === BODY ? body(described) : toParameter(api, described, name))),
    responses: {
      "200": response,
      default: { description: "A refusal.", schema: withoutLists(schemaOf(api, "Problem"), PROBLEM_TITLES) },
    },
  };
}

function toParameter(api: Part, operation: Part, name: string): Part {
  const inline = operation["parameters"] as readonly Part[];
  const { parameters } = api["components"] as Readonly<Record<string, Parts>>;
  const found = inline.find((one) => one["name"] === name) ?? parameters?.[name] ?? {};
  const { schema, example: _, ...rest } = found as Part & { readonly schema: Part };
  const { title = name, more = {} } = TITLES[name] ?? {};
  return { ...rest, "x-ms-summary": title, ...schema, ...more };
}

function body(operation: Part): Part {
  const { description } = operation["requestBody"] as Part;
  return {
    name: BODY,
    in: "body",
    required: false,
    "x-ms-summary": "Body",
    description: `${String(description)} Leave it empty for GET and HEAD.`,
    schema: { type: "object" },
  };
}

function schemaOf(api: Part, name: string): Part {
  const { schemas } = api["components"] as Readonly<Record<string, Parts>>;
  return schemas?.[name] ?? {};
}

/** The members that have a title, without keywords that OpenAPI 2.0 does not know. */
function withoutLists(schema: Part, titles: Readonly<Record<string, string>>): Part {
  const members = Object.entries((schema["properties"] ?? {}) as Parts).flatMap(([name, member]) => {
    const title = titles[name];
    return title === undefined ? [] : [[name, toMember(member, title, titles)]];
  });
  return { type: "object", properties: Object.fromEntries(members) };
}

function toMember(member: Part, title: string, titles: Readonly<Record<string, string>>): Part {
  const { type = "string", description = "" } = member;
  const shared = { type, "x-ms-summary": title, ...(description === "" ? {} : { description }) };
  return type === "object" ? { ...shared, ...withoutLists(member, titles) } : shared;
}
