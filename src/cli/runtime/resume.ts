import { switchCommand } from "./switch.ts";

export const command = switchCommand("resume", "Resume all processes that have been previously paused");
