using Host.Tests.Planning;
using Merge.Merging;
using Merge.Planning;
using Merge.Sdk;
using static Host.Tests.Planning.TestTensor;

namespace Host.Tests.Merging;

public sealed class OutputTargetTests : IDisposable
{
    private readonly TestModels _models = new();
    private readonly MergePlan _plan;

    public OutputTargetTests() => _plan = Plans.Of(_models.Add("models/a", Of("w", 1)));

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData("models/a")]
    [InlineData("models")]
    public void A_folder_that_holds_an_input_is_refused_forced_or_not(string name)
    {
        File.WriteAllText(Path.Combine(_models[name], Manifest.FileName), "{}");
        Assert.Contains("holds an input of this merge", Refused(name, force: true).Found);
        Assert.Contains("holds an input of this merge", Refused(name, force: false).Found);
    }

    [Fact]
    public void A_name_that_an_inputs_begins_with_is_fine() => OutputTarget.Check(_models["mod"], _plan, force: false);

    [Fact]
    public void A_new_or_empty_folder_is_fine()
    {
        OutputTarget.Check(_models["new"], _plan, force: false);
        Directory.CreateDirectory(_models["empty"]);
        OutputTarget.Check(_models["empty"], _plan, force: false);
    }

    [Fact]
    public void A_file_of_that_name_is_refused()
    {
        File.WriteAllText(_models["file"], "");
        Assert.Contains("a file stands", Refused("file", force: true).Found);
    }

    [Fact]
    public void A_folder_with_something_in_it_needs_force_and_to_be_of_a_merge()
    {
        Directory.CreateDirectory(_models["out"]);
        File.WriteAllText(Path.Combine(_models["out"], "thesis.txt"), "");
        Assert.Contains("--force", Refused("out", force: false).Fix);
        Assert.Contains("was not made by a merge", Refused("out", force: true).Found);
        File.WriteAllText(Path.Combine(_models["out"], Manifest.FileName), "{}");
        OutputTarget.Check(_models["out"], _plan, force: true);
    }

    private Diagnostic Refused(string name, bool force)
    {
        var refused = Assert.Throws<MergeException>(() => OutputTarget.Check(_models[name], _plan, force));
        Assert.True(refused.WrongUsage);
        Assert.Equal(_models[name], Assert.Single(refused.Diagnostics).Where);
        return refused.Diagnostics[0];
    }
}
