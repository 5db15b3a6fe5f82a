// Compiles only if the generated types describe the API as clients use it.
import type { components, operations, paths } from "./generated/api";

type Ok<Operation extends keyof operations, Status extends keyof operations[Operation]["responses"]> =
  operations[Operation]["responses"][Status] extends { content: { "application/json": infer Body } } ? Body : never;

export function usernames(orgs: Ok<"SalesforceAuthController_listOrgs", 200>): string[] {
  return orgs.map((org) => org.username);
}

export function availableInstances(pool: Ok<"PoolInstancesController_list", 200>): string[] {
  return pool.instances.filter((one) => one.status === "AVAILABLE").map((one) => one.name);
}

export function advice(error: Ok<"SalesforceAuthController_generateAccessToken", 409>): string {
  return `${error.code}: ${error.message} ${error.action} (${error.errors?.length ?? 0} fields)`;
}

export const registration: components["schemas"]["SalesforceOrgRegistrationDto"] = {
  sfdxAuthUrl: "force://PlatformCLI::example@acme.my.salesforce.com",
  metadata: { team: "core", tier: 1 },
};

export const filters: paths["/sfp/api/pools/instances"]["get"]["parameters"]["query"] = { tag: "features" };

// @ts-expect-error -- not a parameter of this route
export const misspelled: paths["/sfp/api/pools/instances"]["get"]["parameters"]["query"] = { tags: "features" };
