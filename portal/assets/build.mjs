// Builds static/build/ from the sources in this folder: every scss/NAME.scss (not starting with “_”) becomes
// NAME.css, every js/NAME.js (not starting with “_”) becomes NAME.js, every image is copied. Names carry a
// hash of the content; manifest.json maps the plain names to them.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import * as sass from "sass";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "..", "..");
const OUT = join(ROOT, "static", "build");
const BESIDE = `${OUT}.${process.pid}`;
const BROWSERS = ["es2022", "chrome111", "firefox115", "safari16.4"];

async function sources(folder, extension) {
  const names = await readdir(join(HERE, folder));
  return names
    .filter((name) => extname(name) === extension && !name.startsWith("_"))
    .sort()
    .map((name) => join(HERE, folder, name));
}

function hashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 12);
  return `${basename(name, extname(name))}-${hash}${extname(name)}`;
}

async function keep(manifest, name, content) {
  const file = hashed(name, content);
  await writeFile(join(BESIDE, file), content);
  manifest[name] = `build/${file}`;
  return file;
}

async function images(manifest) {
  for (const place of await sources("images", ".svg")) {
    await keep(manifest, basename(place), await readFile(place));
  }
}

async function styles(manifest) {
  for (const place of await sources("scss", ".scss")) {
    const { css } = sass.compile(place, {
      loadPaths: [join(ROOT, "node_modules")],
      style: "expanded",
      quietDeps: true,
    });
    const linked = css.replace(/url\(["']?images\/([\w.-]+)["']?\)/g, (whole, image) => {
      if (!manifest[image]) throw new Error(`${relative(ROOT, place)}: no image ${image}`);
      return `url("${basename(manifest[image])}")`;
    });
    const { code } = await esbuild.transform(linked, { loader: "css", minify: true, target: BROWSERS });
    await keep(manifest, `${basename(place, ".scss")}.css`, code);
  }
}

async function scripts(manifest) {
  for (const place of await sources("js", ".js")) {
    const built = await esbuild.build({
      entryPoints: [place],
      bundle: true,
      minify: true,
      write: false,
      format: "iife",
      target: BROWSERS,
      legalComments: "none",
    });
    await keep(manifest, basename(place), built.outputFiles[0].contents);
  }
}

await rm(BESIDE, { recursive: true, force: true });
await mkdir(BESIDE, { recursive: true });
const manifest = {};
await images(manifest);
await styles(manifest);
await scripts(manifest);
await writeFile(join(BESIDE, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await rm(OUT, { recursive: true, force: true });
await rename(BESIDE, OUT);
for (const [name, file] of Object.entries(manifest)) {
  const { length } = await readFile(join(ROOT, "static", file));
  console.log(`${name.padEnd(24)} ${(length / 1024).toFixed(1).padStart(7)} kB  ${file}`);
}
