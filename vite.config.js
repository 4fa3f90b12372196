// Builds the pages' assets into frontend/dist: hashed files in assets/, manifest.json, icons.json, fonts/ for PDF.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig } from "vite";

const root = dirname(fileURLToPath(import.meta.url));
const dist = resolve(root, "frontend/dist");
const packages = resolve(root, "node_modules");

/** The body of each icon named in icons.txt, so that the `icon` tag writes it inline in currentColor. */
function writeIcons() {
  const names = readFileSync(resolve(root, "frontend/assets/icons.txt"), "utf8").split("\n").map((line) => line.trim()).filter(Boolean);
  const bodies = Object.fromEntries(
    names.map((name) => {
      const [style, file] = name.includes("/") ? name.split("/") : ["outline", name];
      const svg = readFileSync(join(packages, "@tabler/icons/icons", style, `${file}.svg`), "utf8");
      return [file, svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[^>]*>|<\/svg>\s*$/g, "").replace(/\s+/g, " ").trim()];
    }),
  );
  writeFileSync(join(dist, "icons.json"), JSON.stringify(bodies));
}

/** Chinese fonts in one known place, for the worker that makes PDFs. */
function copyFonts() {
  mkdirSync(join(dist, "fonts"), { recursive: true });
  const source = join(packages, "@expo-google-fonts/noto-sans-sc");
  copyFileSync(join(source, "400Regular/NotoSansSC_400Regular.ttf"), join(dist, "fonts/NotoSansSC-Regular.ttf"));
  copyFileSync(join(source, "700Bold/NotoSansSC_700Bold.ttf"), join(dist, "fonts/NotoSansSC-Bold.ttf"));
  copyFileSync(join(source, "LICENSE_FONT"), join(dist, "fonts/LICENSE"));
}

/** Ready-made .gz and .br beside each text asset; WhiteNoise sends them as they are. */
function compress() {
  const folder = join(dist, "assets");
  for (const name of readdirSync(folder)) {
    if (![".js", ".css", ".svg"].includes(extname(name))) continue;
    const body = readFileSync(join(folder, name));
    writeFileSync(join(folder, `${name}.gz`), gzipSync(body, { level: 9 }));
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }));
  }
}

export default defineConfig({
  base: "/static/",
  publicDir: false,
  build: {
    outDir: dist,
    emptyOutDir: true,
    manifest: "manifest.json",
    modulePreload: false,
    assetsInlineLimit: 0,
    target: ["chrome111", "firefox114", "safari16.4"],
    rollupOptions: {
      checks: { eval: false },
      input: ["main.js", "theme.js", "timeline.js", "icon.svg"].map((name) => resolve(root, "frontend/assets", name)),
    },
  },
  plugins: [
    {
      name: "jishi-extras",
      closeBundle() {
        writeIcons();
        copyFonts();
        compress();
      },
    },
  ],
});
