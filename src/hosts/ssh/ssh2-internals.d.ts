declare module "ssh2/lib/protocol/constants.js" {
	const constants: { readonly SUPPORTED_SERVER_HOST_KEY: string[] };
	export default constants;
}
