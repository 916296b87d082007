import { defineCommand } from "../command.ts";
import { bool } from "../flags/kinds.ts";
import { humanSize } from "../format/units.ts";
import { imageTree, type TreeLayer } from "../rows/image-tree.ts";
import { shortId } from "../rows/text.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE",
  summary: "Print an image's layers as a tree",
  flags: { whatrequires: bool({ usage: "Show all images and layers that stand on the image" }) },
  args: { least: 1, most: 1 },
  failureStatus: 125,
  async run({ cli, flags, args: [name = ""] }) {
    const { images } = await cli.engine();
    const image = images.get(name);
    const layers = imageTree(image, images.list(), (id) => images.layers(id), flags.whatrequires);
    const tags = image.names.join(" ");
    cli.out(`Image ID: ${shortId(image.id)}\nTags:     [${tags}]\nSize:     ${humanSize(image.size)}\n`);
    cli.out(`Image Layers\n${lines(layers, "").join("")}\n`);
    return 0;
  },
});

/** The branches as podman draws them. */
function lines(layers: readonly TreeLayer[], before: string): readonly string[] {
  return layers.flatMap((layer, index) => {
    const isLast = index === layers.length - 1;
    const top = layer.topOf.length === 0 ? "" : ` Top Layer of: [${layer.topOf.join(" ")}]`;
    const line = `${before}${isLast ? "└── " : "├── "}ID: ${layer.id} Size: ${humanSize(layer.size)}${top}\n`;
    return [line, ...lines(layer.children, `${before}${isLast ? "    " : "│   "}`)];
  });
}
