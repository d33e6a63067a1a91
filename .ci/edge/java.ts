/** The SDK for Java, as Maven brings it. */
import { join } from "node:path";
import { refusalOfPort } from "../../tests/support/own_address.ts";

const PACKAGES: Readonly<Record<string, string>> = {
  "iot-service-client": "2.1.9",
  "iot-device-client": "2.5.0",
};

const LIST_JARS = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath";

/** How long one run of a tool may take. Maven itself waits for half an hour. */
const TIME_LIMIT_IN_MS = 60_000;

/** Where the SDK's jars are, for the option `-cp`; or what this machine lacks. */
export type JavaSdk = { readonly classPath: string } | { readonly lack: string };

/**
 * Has Maven bring the SDK into its repository, unless it is there already.
 *
 * @param folder Where Maven's files can be written.
 */
export async function findJavaSdk(folder: string): Promise<JavaSdk> {
  // It takes no host name with a port.
  const refusal = await refusalOfPort(443);
  if (refusal !== false) return { lack: refusal };
  const modules = await outputOf("java", "--list-modules");
  // With the compiler, it runs a program from its source.
  if (!/^jdk\.compiler@(?:1[1-9]|[2-9]\d)\b/m.test(modules?.text ?? "")) return { lack: "there is no JDK 11 or later" };
  if ((await outputOf("mvn", "--version"))?.success !== true) return { lack: "there is no Maven" };
  await Deno.mkdir(folder, { recursive: true });
  const [project, classPath] = [join(folder, "pom.xml"), join(folder, "class-path")];
  await Deno.writeTextFile(project, projectText());
  const args = ["-q", "-B", "-f", project, LIST_JARS, `-Dmdep.outputFile=${classPath}`];
  if ((await outputOf("mvn", "-o", ...args))?.success !== true) {
    const { success, text } = (await outputOf("mvn", "-U", ...args))!;
    if (!success && (text === "" || text.includes("transfer"))) return { lack: "Maven Central does not answer" };
    if (!success) throw new Error(`Maven cannot bring the SDK for Java: ${text}`);
  }
  return { classPath: (await Deno.readTextFile(classPath)).trim() };
}

function projectText(): string {
  const dependencies = Object.entries(PACKAGES).map(([name, version]) => `
    <dependency>
      <groupId>com.microsoft.azure.sdk.iot</groupId>
      <artifactId>${name}</artifactId>
      <version>${version}</version>
    </dependency>`);
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>hub</groupId>
  <artifactId>user</artifactId>
  <version>1</version>
  <dependencies>${dependencies.join("")}
  </dependencies>
</project>
`;
}

/** What a tool writes to the standard output; `undefined` where there is no such tool. */
async function outputOf(tool: string, ...args: string[]): Promise<{ success: boolean; text: string } | undefined> {
  const signal = AbortSignal.timeout(TIME_LIMIT_IN_MS);
  try {
    const { success, stdout } = await new Deno.Command(tool, { args, stdin: "null", signal }).output();
    return { success, text: new TextDecoder().decode(stdout) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
