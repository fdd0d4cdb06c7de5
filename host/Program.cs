return await Merge.Commands.CommandLine.RunAsync(args, Merge.Commands.Terminal.OfProcess());
