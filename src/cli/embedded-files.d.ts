declare module "*/busybox.zst" {
  const path: string;
  export default path;
}

declare module "*/galley-native" {
  const path: string;
  export default path;
}
