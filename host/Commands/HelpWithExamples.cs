using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Merge.Commands;

/// <summary>The generated help, and below it, for <c>merge</c> itself, what people do first.</summary>
internal sealed class HelpWithExamples : SynchronousCommandLineAction
{
    private const string Examples = """
        Examples:
          merge demo                              train, merge and score small models on real data, in a minute
          merge run recipe.yml merged/            merge as recipe.yml says (mergekit's YAML)
          merge search recipe.yml found/          the values that score best in your own evaluation
          merge soup a b c soup/ --evaluate "python3 eval.py {candidate}" --maximize accuracy
          merge trials found/ --best 5            what a search has tried; also while it runs
          merge evaluate a b --recipe recipe.yml  what models score, and whether they differ
          merge validate recipe.yml               find every mistake in a recipe and its inputs; write nothing
          merge inspect model/                    list the tensors of a checkpoint
          merge inspect model-a/ model-b/         how far two checkpoints are apart, tensor by tensor
          merge explain task_arithmetic           formula, paper and parameters of a method
          merge plugins                           the merge methods there are, and plugins that failed to load
          source <(merge completion bash)         complete commands and options with Tab

        Exit codes: 0 done, 1 failed, 2 wrong command line or recipe, 130 interrupted, 143 told to stop.
        """;

    // The generated action writes help where the command line is wrong, too: what was asked for matters.
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = new HelpAction().Invoke(parseResult);
        if (parseResult.CommandResult.Command is RootCommand)
            parseResult.InvocationConfiguration.Output.WriteLine(Examples);
        return code;
    }
}
