export async function finishRun(_request: { root: string; runId: string }): Promise<void> {}
