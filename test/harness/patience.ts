/** How many times longer a test may take on a slow machine, such as an emulated one: GALLEY_TEST_PATIENCE. */
export const patience = Number(process.env.GALLEY_TEST_PATIENCE ?? 1);
