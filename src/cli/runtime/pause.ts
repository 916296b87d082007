import { switchCommand } from "./switch.ts";

export const command = switchCommand("pause", "Suspend all processes inside the container");
