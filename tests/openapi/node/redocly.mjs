// Lints a document by the rules of `redocly lint`, whose engine this is; prints one line for each problem.
import { createConfig, lint } from "@redocly/openapi-core";

const config = await createConfig({ extends: ["recommended"] });
for (const problem of await lint({ ref: process.argv[2], config })) {
  console.log(`${problem.severity} ${problem.ruleId} ${problem.location[0]?.pointer}: ${problem.message}`);
}
