// Drives the published client by one order for each line of standard input; one line answers it.
// An order: {"do": "post" | "get" | "set" | "cookies", "with": {...}}.
import { createInterface } from "node:readline";
import { JsonApiClient, JsonServiceClient } from "@servicestack/client";

class AuthenticateResponse {}

class Authenticate {
  constructor(members) { Object.assign(this, members); }
  createResponse() { return new AuthenticateResponse(); }
  getTypeName() { return "Authenticate"; }
  getMethod() { return "POST"; }
}

const [kind, url] = process.argv.slice(2);
const client = kind === "JsonApiClient" ? JsonApiClient.create(url) : new JsonServiceClient(url);

const deeds = {
  post: (members) => client.post(new Authenticate(members)),
  get: (members) => client.get(new Authenticate(members)),
  set: (members) => {
    Object.assign(client, members);
    return {};
  },
  cookies: (values) => {
    for (const [name, value] of Object.entries(values)) client.cookies[name] = { name, value };
    return Object.fromEntries(Object.values(client.cookies).map((each) => [each.name, each.value]));
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  let answer;
  try {
    answer = { answer: await deeds[order.do](order.with ?? {}), bearerToken: client.bearerToken ?? null };
  } catch (error) {
    answer = { error: error.responseStatus ?? { message: String(error) }, type: error.type ?? null };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
