// node tools/reference/write.mjs FOLDER [--undocumented]: writes the reference, a page for each thing that the package
// exports, from the doc comments of src/, and says on request which public names have none. The same sources give the
// same bytes: nothing of the machine or the checkout goes into a page.

import { fileURLToPath } from "node:url";
import { Application, Converter, ReflectionKind } from "typedoc";

const project = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const [folder, option] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write("node tools/reference/write.mjs FOLDER [--undocumented]\n");
  process.exit(2);
}

const application = await Application.bootstrapWithPlugins({
  plugin: ["typedoc-plugin-markdown"],
  outputs: [{ name: "markdown", path: folder }],
  cleanOutputDir: true,
  entryPoints: [project("src/index.ts")],
  tsconfig: project("tsconfig.json"),
  skipErrorChecking: true, // that is TypeScript 7's work, in the build
  name: "Reference of @fangaos/ipc",
  readme: "none",
  disableSources: true,
  disableGit: true,
  excludePrivate: true,
  excludeProtected: true,
  excludeInternal: true,
  excludeExternals: true,
  router: "member",
  hidePageHeader: true,
  hideBreadcrumbs: true,
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  typeDeclarationFormat: "table",
  useCodeBlocks: true,
  validation: { notExported: true, invalidLink: true, notDocumented: option === "--undocumented" },
});

/** What a user cannot call is no part of the reference: handles are made by their kernel, not by `new`. */
function hideUndocumentedConstructors(context) {
  for (const reflection of context.project.getReflectionsByKind(ReflectionKind.Constructor)) {
    if (!reflection.signatures?.some(({ comment }) => comment)) context.project.removeReflection(reflection);
  }
}

application.converter.on(Converter.EVENT_RESOLVE_BEGIN, hideUndocumentedConstructors);
const reflections = await application.convert();
if (reflections === undefined) process.exit(1);
application.validate(reflections);
await application.generateOutputs(reflections);
process.exit(application.logger.hasErrors() ? 1 : 0);
