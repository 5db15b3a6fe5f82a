// Drives the published client: one JSON command per line of standard input, one line of output for each.
// A command: {"do": "post" | "get" | "set" | "cookies", "with": {...}}.
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

const commands = {
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
  const command = JSON.parse(line);
  let result;
  try {
    result = { response: await commands[command.do](command.with ?? {}), bearerToken: client.bearerToken ?? null };
  } catch (error) {
    result = { error: error.responseStatus ?? { message: String(error) }, type: error.type ?? null };
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
