using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

/// <summary>A plugin compiled against contract 1.0, kept as it was, beside whatever the contract is now.</summary>
public sealed class ContractVersionTests : IDisposable
{
    private static readonly string _plugin = Path.Combine(MergeProcess.Root, "tests", "Fixtures", "Contract10");
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void It_is_loaded_with_all_it_offers()
    {
        var plugin = _scratch.Succeeds("plugins", "--json", "--plugins", _plugin).Json.GetProperty("plugins").EnumerateArray()
            .Single(p => p.GetProperty("name").GetString() == "Contract10");
        Assert.Equal("Loaded", plugin.GetProperty("status").GetString());
        Assert.Equal("1.0", plugin.GetProperty("contract").GetString());
        Assert.Equal("""["contract_1_0"]""", plugin.GetProperty("methods").ToString());
        Assert.Equal("""["contract_1_0_searcher"]""", plugin.GetProperty("searchers").ToString());
        Assert.Equal("""["contract_1_0_evaluator"]""", plugin.GetProperty("evaluators").ToString());
    }

    [Fact]
    public void Its_method_searcher_and_evaluator_give_what_they_gave()
    {
        TinyCheckpoint.Write(_scratch["base"], TinyTensor.Of("F32", "layers.0.w", [2, 2], 1, 2, 3, 4));
        TinyCheckpoint.Write(_scratch["a"], TinyTensor.Of("F32", "layers.0.w", [2, 2], 2, 2, 3, 4));
        TinyCheckpoint.Write(_scratch["b"], TinyTensor.Of("F32", "layers.0.w", [2, 2], 1, 4, 3, 0));
        var recipe = _scratch.Recipe("contract_1_0", "a b", "base_model: base\nparameters: {keep: 0.25}\n");
        _scratch.Succeeds("run", recipe, "out", "--plugins", _plugin);
        // Of each the largest change alone, halved: 1 and -4.
        Assert.Equal([1.5, 2, 3, 2], TinyCheckpoint.Read(_scratch["out"])["layers.0.w"].Values);

        var search = _scratch.Recipe("contract_1_0", "a b", """
            base_model: base
            search: {searcher: contract_1_0_searcher, trials: 4}
            evaluate: {plugin: contract_1_0_evaluator}
            objective: {maximize: first}
            """);
        _scratch.Succeeds("search", search, "found", "--plugins", _plugin);
        Assert.True(Directory.Exists(_scratch["found/best"]));
    }
}
