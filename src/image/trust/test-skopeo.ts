/**
 * What skopeo 1.22 made: a pair of sigstore keys (of no use but here; the passphrase is `secret`), a manifest, and the file of its signature as
 * `127.0.0.1:5999/c:1`. Debian's skopeo is built without sigstore, so that tests cannot ask it.
 */
export const skopeoMade = {
  publicKey: `-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEGSVhWRgsO+GFc8jXPcLGVBoOULXR
FzTXY1tCWZKp6azyxWOlFYDb3gTFL1Rnen51QdTZhazFiLKQL6CFFZMO0w==
-----END PUBLIC KEY-----
`,
  privateKey: `-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----
eyJrZGYiOnsibmFtZSI6InNjcnlwdCIsInBhcmFtcyI6eyJOIjo2NTUzNiwiciI6
OCwicCI6MX0sInNhbHQiOiJGVkY2UXJFSzc0Tmc5bERTRTM3clF3VVNMN3BzOXdZ
aUdWYXBNSldtSFBNPSJ9LCJjaXBoZXIiOnsibmFtZSI6Im5hY2wvc2VjcmV0Ym94
Iiwibm9uY2UiOiJLT2l1T3A3YVdqOGNOWnlxNUJsRy9lU0JPR0JISXZkOSJ9LCJj
aXBoZXJ0ZXh0IjoiNTFnNm5OeFlaZWtDbGxIV3Awc25mQ3J4ajVKWU5GaXkwN1Jm
bnhQN0NRT0o2eGlnYktMUzNHMWtUTVAwS2FraFhNZXhMM1drU2djVUJVTjhXZWha
WGVkdkE0N1crYThCZkpJQlFlSkJub0d0VS9jTHRYeHNSdTRucmhXV25YeHBFOWFm
MVRHR2dOZE5TMHB1Nk5tU21SUlNPYms2d0NhNUZBV3NFbkFlYUVvVTVkSU9iZ3kz
V1BsbGxOdlhKZWFRM1BUaFViTnpUTFk3dUE9PSJ9
-----END ENCRYPTED COSIGN PRIVATE KEY-----
`,
  manifest:
    '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:b18d758c5ffebd071413224719474869fd0a870aaba7b41ee56c3c649c994575","size":283},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:5b85e9239d5be6ae4dd7f1f08d522047ae2e8e8de5f586079f49e0c606c97301","size":144}]}',
  signature:
    '\0sigstore-json\n{"mimeType":"application/vnd.dev.cosign.simplesigning.v1+json","payload":"eyJjcml0aWNhbCI6eyJpZGVudGl0eSI6eyJkb2NrZXItcmVmZXJlbmNlIjoiMTI3LjAuMC4xOjU5OTkvYzoxIn0sImltYWdlIjp7ImRvY2tlci1tYW5pZmVzdC1kaWdlc3QiOiJzaGEyNTY6MWU0ODg1NmM4ZDY5MDQ1ODY1MDc0MmI0YmMwNTIzNzhiOTFiOGNmNTdkYzJhNzYwNGQ1ZmEzNDRhNjRlNjFjOSJ9LCJ0eXBlIjoiY29zaWduIGNvbnRhaW5lciBpbWFnZSBzaWduYXR1cmUifSwib3B0aW9uYWwiOnsiY3JlYXRvciI6ImNvbnRhaW5lcnMvaW1hZ2UgNS4zOS4xIiwidGltZXN0YW1wIjoxNzk1OTE2NzQ1fX0=","annotations":{"dev.cosignproject.cosign/signature":"MEUCIQDJZAJDdDhIcw9jCvyQsZXmwyFs8yYYE1Uy+GtvyHNLqAIgFeZ4J1siKVklZKZfqHjZ9efAnENY+Pbf9+N0Wqn8axY="}}',
};
